import { AgentKey } from "@countersign/agent-key";
import { describe, expect, it } from "vitest";
import { createAuthority } from "../src/index.js";
import { expectRefusal } from "./expect-refusal.js";
import {
  agentBody,
  biscuitHeaders,
  NOON,
  TestedAuthority,
  taskBody,
  taskPath,
} from "./start-authority.js";

const MINT = "/authenticate_app_v2";
const REGISTER = "/v1/agent/register";

function registerWith(tested: TestedAuthority, biscuit: string, path = REGISTER) {
  return tested.call("POST", path, {
    headers: { "x-openai-authorization": biscuit },
    body: agentBody(AgentKey.generate()),
  });
}

describe("minting a biscuit", () => {
  it("is refused without a live human token", async () => {
    await using tested = await TestedAuthority.start();
    for (const token of ["", "cs_human_x", await tested.token("resource_server")]) {
      const headers = biscuitHeaders(token, tested.url + REGISTER);
      expectRefusal(await tested.call("GET", MINT, { headers }), 401, "unauthenticated");
    }
    const { authorization: _, ...anonymous } = biscuitHeaders("", tested.url + REGISTER);
    expectRefusal(await tested.call("GET", MINT, { headers: anonymous }), 401, "unauthenticated");
  });

  it("is refused for another method, and without method, URL or request id", async () => {
    await using tested = await TestedAuthority.start();
    const good = biscuitHeaders(await tested.token(), tested.url + REGISTER);
    for (const [name, value] of [
      ["x-original-method", "GET"],
      ["x-original-method", "post"],
      ["x-original-method", ""],
      ["x-original-url", ""],
      ["x-original-url", REGISTER],
      ["x-request-id", ""],
    ] as const) {
      const headers = { ...good, [name]: value };
      expectRefusal(await tested.call("GET", MINT, { headers }), 400, "invalid_request");
    }
  });

  it("is refused for any path but the two registrations", async () => {
    await using tested = await TestedAuthority.start();
    const token = await tested.token();
    for (const path of [
      "/",
      "/v1/agent/register/",
      "/v1/agent/register?x=1",
      "/v1/agent/register#x",
      "//v1/agent/register",
      "/other/v1/agent/register",
      "/backend-api/backend-api/v1/agent/register",
      "/v1/agent//task/register",
      "/v1/agent/a%2Fb/task/register",
      "/v1/agent/a%ZZ/task/register",
      "/v1/agent/agent-1/task/register/x",
      "/v1/responses",
      "/v1/whoami",
    ]) {
      const headers = biscuitHeaders(token, tested.url + path);
      expectRefusal(await tested.call("GET", MINT, { headers }), 400, "invalid_request");
    }
  });

  it("is refused for another authority's URL where this one's is configured", async () => {
    await using tested = await TestedAuthority.start({
      publicUrl: "https://authority.example/base/",
    });
    const token = await tested.token();
    for (const url of [
      "https://other.example/base/v1/agent/register",
      "http://authority.example/base/v1/agent/register",
      "https://authority.example:8443/base/v1/agent/register",
      "https://authority.example/v1/agent/register",
      "https://authority.example/base.other/v1/agent/register",
      "https://authority.example/base/../v1/agent/register",
    ]) {
      const headers = biscuitHeaders(token, url);
      expectRefusal(await tested.call("GET", MINT, { headers }), 400, "invalid_request");
    }
    for (const prefix of ["", "/backend-api"]) {
      const url = `https://authority.example/base${prefix}${REGISTER}`;
      const answer = await tested.call("GET", MINT, { headers: biscuitHeaders(token, url) });
      const biscuit = String(answer.headers["x-openai-authorization"]);
      expect((await registerWith(tested, biscuit)).status).toBe(200);
    }
  });

  it("gives a fresh one each time, in a header, kept by no cache", async () => {
    await using tested = await TestedAuthority.start();
    const headers = biscuitHeaders(await tested.token(), tested.url + REGISTER);
    const first = await tested.call("GET", MINT, { headers });
    const second = await tested.call("GET", MINT, { headers });
    expect(first.status).toBe(200);
    expect(first.headers["cache-control"]).toBe("no-store");
    expect(first.headers.date).toBe(new Date(NOON).toUTCString());
    expect(first.headers["x-openai-authorization"]).toMatch(/^cs_biscuit_[A-Za-z0-9_-]{43}$/);
    expect(second.headers["x-openai-authorization"]).not.toBe(
      first.headers["x-openai-authorization"],
    );
    expect(first.text).not.toContain("cs_biscuit_");
  });
});

describe("a biscuit", () => {
  it("is refused when it is invented, empty or another kind of token", async () => {
    await using tested = await TestedAuthority.start();
    for (const biscuit of ["", "x", `cs_biscuit_${"A".repeat(43)}`, await tested.token()]) {
      expectRefusal(await registerWith(tested, biscuit), 401, "biscuit_invalid");
    }
  });

  it("is spent once, also by two requests at once (G-A13)", async () => {
    await using tested = await TestedAuthority.start();
    const biscuit = await tested.biscuit(await tested.token(), REGISTER);
    const answers = await Promise.all(
      Array.from({ length: 10 }, () => registerWith(tested, biscuit)),
    );
    const [good, ...others] = answers.sort((a, b) => a.status - b.status);
    expect(good?.status).toBe(200);
    for (const other of others) expectRefusal(other, 401, "biscuit_invalid");
    expect(await tested.authority.registry.listAgents()).toHaveLength(1);
  });

  it("stays spent when what it was spent on was refused", async () => {
    await using tested = await TestedAuthority.start({ maxLiveAgents: 1 });
    const { id, token } = await tested.agent();
    const biscuit = await tested.biscuit(token, REGISTER);
    expectRefusal(await registerWith(tested, biscuit), 403, "agent_limit");
    await tested.authority.registry.revokeAgent(id);
    expectRefusal(await registerWith(tested, biscuit), 401, "biscuit_invalid");
  });

  it("lives 60 seconds", async () => {
    await using tested = await TestedAuthority.start();
    const token = await tested.token();
    const [first, second] = [
      await tested.biscuit(token, REGISTER),
      await tested.biscuit(token, REGISTER),
    ];
    tested.clock.nowMs += 59_999;
    expect((await registerWith(tested, first)).status).toBe(200);
    tested.clock.nowMs += 1;
    expectRefusal(await registerWith(tested, second), 401, "biscuit_invalid");
  });

  it("ends with the access token it was minted with", async () => {
    await using tested = await TestedAuthority.start();
    const { registry } = tested.authority;
    const human = { accountId: "acct-1", userId: "user-1", role: "human" } as const;
    const revoked = await registry.createAccessToken({ ...human, ttlSeconds: 600 });
    const short = await registry.createAccessToken({ ...human, ttlSeconds: 30 });
    const biscuits = [
      await tested.biscuit(revoked.token, REGISTER),
      await tested.biscuit(short.token, REGISTER),
    ];
    await registry.revokeAccessToken(revoked.id);
    tested.clock.nowMs += 30_000;
    for (const biscuit of biscuits) {
      expectRefusal(await registerWith(tested, biscuit), 401, "biscuit_invalid");
    }
  });

  it("is good for its own URL alone, under either mount (G-A13)", async () => {
    await using tested = await TestedAuthority.start();
    const { id, key, token } = await tested.agent();
    const forTask = await tested.biscuit(token, taskPath(id));
    expectRefusal(await registerWith(tested, forTask), 401, "biscuit_invalid");
    const forOtherTask = await tested.biscuit(token, taskPath("agent-2"));
    const headers = { "x-openai-authorization": forOtherTask };
    expectRefusal(await tested.registerTask(id, key, headers), 401, "biscuit_invalid");
    const forAgent = await tested.biscuit(token, `/backend-api${REGISTER}`);
    expect((await registerWith(tested, forAgent)).status).toBe(200);
  });

  it("registers a task of an agent of its account and user, and of no other (G-A13)", async () => {
    await using tested = await TestedAuthority.start();
    const { id, key, token } = await tested.agent("user-1");
    for (const other of [
      await tested.token("human", "user-2"),
      await tested.token("human", "user-1", "acct-2"),
    ]) {
      const headers = { "x-openai-authorization": await tested.biscuit(other, taskPath(id)) };
      expectRefusal(await tested.registerTask(id, key, headers), 401, "biscuit_invalid");
    }
    const headers = { "x-openai-authorization": await tested.biscuit(token, taskPath(id)) };
    expect((await tested.registerTask(id, key, headers)).status).toBe(200);
    expectRefusal(await tested.registerTask(id, key, headers), 401, "biscuit_invalid");
  });

  it("is refused, and not minted, where generation A is not served", async () => {
    await using tested = await TestedAuthority.start({ generations: ["C"] });
    const { id, key, token } = await tested.agent();
    const mint = await tested.call("GET", MINT, {
      headers: biscuitHeaders(token, tested.url + REGISTER),
    });
    expectRefusal(mint, 404, "invalid_request");
    // Minted by another authority on the same database, which does serve it.
    const other = await createAuthority({ store: tested.store });
    const { url } = await other.listen({ host: "127.0.0.1", port: 0 });
    const minted = async (path: string) => {
      const answer = await fetch(`${url}${MINT}`, { headers: biscuitHeaders(token, url + path) });
      return answer.headers.get("x-openai-authorization") ?? "";
    };
    const forAgent = await minted(REGISTER);
    expectRefusal(await registerWith(tested, forAgent), 401, "biscuit_invalid");
    const headers = { "x-openai-authorization": await minted(taskPath(id)) };
    expectRefusal(await tested.registerTask(id, key, headers), 401, "biscuit_invalid");
    await other.close();
  });

  it("is a must for every registration where generation C is not served", async () => {
    await using tested = await TestedAuthority.start({ generations: ["A"] });
    const key = AgentKey.generate();
    const token = await tested.token();
    const agent = await tested.call("POST", REGISTER, {
      headers: { "x-openai-authorization": await tested.biscuit(token, REGISTER) },
      body: agentBody(key),
    });
    const id = agent.body.agent_runtime_id;
    expectRefusal(await tested.registerTask(id, key), 401, "biscuit_invalid");
    const path = taskPath(id);
    const headers = { "x-openai-authorization": await tested.biscuit(token, path) };
    const task = await tested.call("POST", path, {
      headers,
      body: taskBody(id, key, tested.clock.nowMs),
    });
    expect(task.status).toBe(200);
  });
});
