import { AgentKey } from "@countersign/agent-key";
import { describe, expect, it } from "vitest";
import { expectRefusal } from "./expect-refusal.js";
import { agentBody, NOON, TestedAuthority } from "./start-authority.js";

const DAY_MS = 86_400_000;
const REGISTER = "/v1/agent/register";

describe("an agent registration by bearer", () => {
  it("is refused without proof of a human", async () => {
    await using tested = await TestedAuthority.start();
    const body = agentBody(AgentKey.generate());
    expectRefusal(await tested.call("POST", REGISTER, { body }), 401, "unauthenticated");
  });

  it("is refused with a token of another role, ended, revoked, invented or malformed (G-A2)", async () => {
    await using tested = await TestedAuthority.start();
    const { registry } = tested.authority;
    const human = { accountId: "acct-1", userId: "user-1", role: "human" } as const;
    const short = await registry.createAccessToken({ ...human, ttlSeconds: 5 });
    const revoked = await registry.createAccessToken({ ...human, ttlSeconds: 60 });
    await registry.revokeAccessToken(revoked.id);
    tested.clock.nowMs += 5_000;
    const resourceServer = await tested.token("resource_server");
    const headers = [
      `Bearer ${short.token}`,
      `Bearer ${revoked.token}`,
      `Bearer ${resourceServer}`,
      `Bearer ${await tested.token("read")}`,
      `Bearer ${await tested.token("operate")}`,
      `Bearer ${resourceServer.replace("cs_rs_", "cs_human_")}`,
      `Bearer cs_human_${"A".repeat(43)}`,
      "Bearer",
      "Bearer a b",
      `Basic ${await tested.token()}`,
      `${await tested.token()}`,
      "Bearer eyJhbGciOiJub25lIn0.e30.",
    ];
    for (const authorization of headers) {
      const answer = await tested.call("POST", REGISTER, {
        headers: { authorization },
        body: agentBody(AgentKey.generate()),
      });
      expectRefusal(answer, 401, "unauthenticated");
      expect(answer.text).not.toContain("cs_human_A");
    }
    expect(await registry.listAgents()).toEqual([]);
  });

  it("is refused with a token whose prefix and role differ", async () => {
    await using tested = await TestedAuthority.start();
    const token = await tested.token("human");
    await tested.store.rows.updateTable("access_tokens").set({ role: "read" }).execute();
    const answer = await tested.registerAgent(token, AgentKey.generate());
    expectRefusal(answer, 401, "unauthenticated");
  });

  it("is refused with two Authorization lines", async () => {
    await using tested = await TestedAuthority.start();
    const authorization = `Bearer ${await tested.token()}`;
    const answer = await tested.call("POST", REGISTER, {
      headers: { authorization: [authorization, authorization] },
      body: agentBody(AgentKey.generate()),
    });
    expectRefusal(answer, 400, "invalid_request");
  });

  it("is refused with a bearer and a biscuit together", async () => {
    await using tested = await TestedAuthority.start();
    const token = await tested.token();
    const biscuit = await tested.biscuit(token, REGISTER);
    const headers = { authorization: `Bearer ${token}`, "x-openai-authorization": biscuit };
    const body = agentBody(AgentKey.generate());
    expectRefusal(await tested.call("POST", REGISTER, { headers, body }), 400, "invalid_request");
    const alone = { headers: { "x-openai-authorization": biscuit }, body };
    expect((await tested.call("POST", REGISTER, alone)).status, "the biscuit is unspent").toBe(200);
  });

  it("is refused where generation C is not served", async () => {
    await using tested = await TestedAuthority.start({ generations: ["A"] });
    const answer = await tested.registerAgent(await tested.token(), AgentKey.generate());
    expectRefusal(answer, 401, "biscuit_invalid");
  });

  it("is refused with a body of another form", async () => {
    await using tested = await TestedAuthority.start();
    const headers = { authorization: `Bearer ${await tested.token()}` };
    const good = agentBody(AgentKey.generate());
    const bodies: unknown[] = [
      "",
      "{",
      "null",
      "[]",
      '"text"',
      "\ufeff{}",
      "{}",
      { ...good, abom: undefined },
      { ...good, abom: { ...good.abom, agent_version: 7 } },
      { ...good, abom: { ...good.abom, running_location: "x".repeat(300) } },
      { ...good, agent_public_key: undefined },
      { ...good, capabilities: "responsesapi" },
      { ...good, capabilities: [1] },
      { ...good, ttl: "1" },
      { ...good, ttl: 0 },
      { ...good, ttl: 1.5 },
      { ...good, account_id: "acct 1" },
      { ...good, user_id: 1 },
    ];
    for (const body of bodies) {
      const answer = await tested.call("POST", REGISTER, { headers, body });
      expectRefusal(answer, 400, "invalid_request");
    }
    const notUtf8 = Buffer.from(JSON.stringify({ ...good, note: "é" }), "latin1");
    expectRefusal(
      await tested.call("POST", REGISTER, { headers, body: notUtf8 }),
      400,
      "invalid_request",
    );
  });

  it("is refused with a public key that is malformed or weak", async () => {
    await using tested = await TestedAuthority.start();
    const token = await tested.token();
    const identityPoint = Buffer.from(
      "0000000b7373682d6564323535313900000020".concat("01", "00".repeat(31)),
      "hex",
    );
    for (const line of [
      "",
      "ssh-rsa AAAA",
      "ssh-ed25519 AAAA",
      `ssh-ed25519 ${identityPoint.toString("base64")}`,
    ]) {
      const answer = await tested.registerAgent(token, AgentKey.generate(), {
        agent_public_key: line,
      });
      expectRefusal(answer, 409, "invalid_key");
    }
  });

  it("is refused with a body that is no JSON type or too large", async () => {
    await using tested = await TestedAuthority.start();
    const headers = { authorization: `Bearer ${await tested.token()}` };
    const body = JSON.stringify(agentBody(AgentKey.generate()));
    const asText = { headers: { ...headers, "content-type": "text/plain" }, body };
    expectRefusal(await tested.call("POST", REGISTER, asText), 415, "invalid_request");
    const large = { headers, body: { padding: "x".repeat(70_000) } };
    expectRefusal(await tested.call("POST", REGISTER, large), 413, "invalid_request");
  });

  it("is refused for another account or user than the token's, and nothing is made", async () => {
    await using tested = await TestedAuthority.start();
    const token = await tested.token();
    const key = AgentKey.generate();
    for (const expected of [
      { account_id: "acct-2", user_id: "user-1" },
      { account_id: "acct-1", user_id: "user-2" },
      { account_id: "acct-2" },
      { user_id: "user-2" },
    ]) {
      const answer = await tested.registerAgent(token, key, expected);
      expectRefusal(answer, 403, "forbidden");
    }
    const { registry } = tested.authority;
    expect(await registry.listAgents()).toEqual([]);
    const right = { account_id: "acct-1", user_id: "user-1" };
    expect((await tested.registerAgent(token, key, right)).status).toBe(200);
    expect(await registry.listAgents()).toHaveLength(1);
  });

  it("gives an agent, and names account and user", async () => {
    await using tested = await TestedAuthority.start();
    const answer = await tested.registerAgent(await tested.token(), AgentKey.generate(), {
      capabilities: ["responsesapi"],
      ttl: null,
      unknown: { ignored: true },
    });
    expect(answer.status).toBe(200);
    expect(answer.body).toEqual({
      agent_runtime_id: expect.stringMatching(/^agent_[0-9a-f-]{36}$/),
      account_id: "acct-1",
      user_id: "user-1",
    });
    expect(answer.headers.date).toBe(new Date(NOON).toUTCString());
    expect(answer.headers["cache-control"]).toBe("no-store");
    const [agent] = await tested.authority.registry.listAgents();
    expect(agent).toMatchObject({ state: "active", proven: false, capabilities: [] });
  });

  it("shows operators what the agent said of itself, as of its last registration that counts, and shows it to no verifier", async () => {
    await using tested = await TestedAuthority.start();
    const { registry } = tested.authority;
    const token = await tested.token();
    const key = AgentKey.generate();
    const { body } = await tested.registerAgent(token, key);
    const id: string = body.agent_runtime_id;
    const first = {
      agentVersion: "0.122.0",
      agentHarnessId: "codex-cli",
      runningLocation: "exec-linux",
    };
    expect(await registry.getAgent(id)).toMatchObject(first);
    expect(await registry.listAgents()).toMatchObject([first]);
    expect((await registry.find(id)).agents).toMatchObject([first]);
    const abom = { agent_version: "2", agent_harness_id: "é", running_location: "elsewhere" };
    const renewed = { agentVersion: "2", agentHarnessId: "é", runningLocation: "elsewhere" };
    await tested.registerAgent(token, key, { abom });
    expect(await registry.getAgent(id)).toMatchObject(renewed);
    // The key is proven now: a repeat without a proof changes nothing but the agent's life.
    await tested.registerTask(id, key);
    await tested.registerAgent(token, key);
    expect(await registry.getAgent(id)).toMatchObject(renewed);
    const { stopped, ...revoked } = (await registry.revokeAgent(id)) ?? expect.unreachable();
    expect(stopped).toEqual({ agents: 1, tasks: 1, tokens: 0 });
    expect(revoked).toMatchObject(renewed);
    const headers = { authorization: `Bearer ${await tested.token("resource_server")}` };
    const seen = await tested.call("GET", `/v1/agent/${id}`, { headers });
    expect(seen.text).not.toContain("elsewhere");
  });

  it("gives the same agent for the same key again, however many ask at once", async () => {
    await using tested = await TestedAuthority.start();
    const token = await tested.token();
    const key = AgentKey.generate();
    const answers = await Promise.all(
      Array.from({ length: 20 }, () => tested.registerAgent(token, key)),
    );
    const ids = new Set(answers.map((answer) => answer.body.agent_runtime_id));
    expect(ids.size).toBe(1);
    const { registry } = tested.authority;
    expect(await registry.listAgents()).toHaveLength(1);
    expect(await registry.listAuditEvents({ action: "agent_registered" })).toHaveLength(1);
    expect(await registry.listAuditEvents({ action: "agent_renewed" })).toHaveLength(19);
  });

  it("is served under /backend-api as the same registry", async () => {
    await using tested = await TestedAuthority.start();
    const { id, key, token } = await tested.agent();
    const answer = await tested.call("POST", `/backend-api${REGISTER}`, {
      headers: { authorization: `Bearer ${token}` },
      body: agentBody(key),
    });
    expect(answer.body.agent_runtime_id).toBe(id);
  });

  it("grants the capabilities that the operator allows, and no others (G-A34)", async () => {
    await using tested = await TestedAuthority.start({ capabilities: ["responsesapi", "search"] });
    await tested.registerAgent(await tested.token(), AgentKey.generate(), {
      capabilities: ["search", "admin", "responsesapi", "search"],
    });
    const [agent] = await tested.authority.registry.listAgents();
    expect(agent?.capabilities).toEqual(["responsesapi", "search"]);
  });
});

describe("the key of an agent", () => {
  it("is refused to another user once its agent has proved it (G-A17)", async () => {
    await using tested = await TestedAuthority.start();
    const { id, key } = await tested.agent("user-1");
    expect((await tested.registerTask(id, key)).status).toBe(200);
    const answer = await tested.registerAgent(await tested.token("human", "user-2"), key);
    expectRefusal(answer, 409, "invalid_key");
    const sameUserElsewhere = await tested.token("human", "user-1", "acct-2");
    expectRefusal(await tested.registerAgent(sameUserElsewhere, key), 409, "invalid_key");
  });

  it("is not blocked by a stranger's unproven claim, which ends when the key is proved (G-A17)", async () => {
    await using tested = await TestedAuthority.start();
    const key = AgentKey.generate();
    const stranger = await tested.registerAgent(await tested.token("human", "user-2"), key);
    const token = await tested.token("human", "user-1");
    const owner = await tested.registerAgent(token, key);
    expect(owner.status).toBe(200);
    expect(owner.body.agent_runtime_id).not.toBe(stranger.body.agent_runtime_id);
    expect((await tested.registerTask(owner.body.agent_runtime_id, key)).status).toBe(200);
    const late = await tested.registerTask(stranger.body.agent_runtime_id, key);
    expectRefusal(late, 401, "unknown_agent");
    expect((await tested.registerAgent(token, key)).body).toEqual(owner.body);
  });

  it("lapses unproven after 24 hours, not before", async () => {
    await using tested = await TestedAuthority.start();
    const { id, key, token } = await tested.agent();
    tested.clock.nowMs += DAY_MS - 1_000;
    expect((await tested.call("GET", `/v1/agent/${id}`)).status).toBe(200);
    tested.clock.nowMs += 1_000;
    expectRefusal(await tested.call("GET", `/v1/agent/${id}`), 404, "unknown_agent");
    expectRefusal(await tested.registerTask(id, key), 401, "unknown_agent");
    expect(await tested.authority.registry.listAgents()).toEqual([]);
    expect(await tested.authority.registry.revokeAgent(id)).toBeUndefined();
    const fresh = await tested.authority.registry.createAccessToken({
      accountId: "acct-1",
      userId: "user-1",
      role: "human",
      ttlSeconds: 60,
    });
    expect(token).not.toBe(fresh.token);
    expect((await tested.registerAgent(fresh.token, key)).status, "it may be claimed again").toBe(
      200,
    );
  });

  it("stays the agent's after 24 hours once proved", async () => {
    await using tested = await TestedAuthority.start();
    const { id, key } = await tested.agent();
    await tested.registerTask(id, key);
    tested.clock.nowMs += 30 * DAY_MS;
    expect((await tested.registerTask(id, key)).status).toBe(200);
  });

  it("is never registered again after the agent was revoked, by anyone (G-A32)", async () => {
    await using tested = await TestedAuthority.start();
    for (const isProven of [true, false]) {
      const { id, key, token } = await tested.agent("user-1");
      if (isProven) await tested.registerTask(id, key);
      await tested.authority.registry.revokeAgent(id);
      expectRefusal(await tested.registerAgent(token, key), 401, "agent_revoked");
      const other = await tested.token("human", "user-2");
      expectRefusal(await tested.registerAgent(other, key), 401, "agent_revoked");
      tested.clock.nowMs += 2 * DAY_MS;
      const later = await tested.token("human", "user-1");
      expectRefusal(await tested.registerAgent(later, key), 401, "agent_revoked");
    }
  });

  it("is not taken from its proven owner by the revocation of a stranger's claim", async () => {
    await using tested = await TestedAuthority.start();
    const key = AgentKey.generate();
    const token = await tested.token("human", "user-1");
    const owner = await tested.registerAgent(token, key);
    const stranger = await tested.registerAgent(await tested.token("human", "user-2"), key);
    await tested.authority.registry.revokeAgent(stranger.body.agent_runtime_id);
    expect((await tested.registerTask(owner.body.agent_runtime_id, key)).status).toBe(200);
    expect((await tested.registerAgent(token, key)).body).toEqual(owner.body);
  });

  it("is refused to the owner of an unproven claim once a stranger's claim to it was revoked", async () => {
    await using tested = await TestedAuthority.start();
    const key = AgentKey.generate();
    const token = await tested.token("human", "user-1");
    expect((await tested.registerAgent(token, key)).status).toBe(200);
    const stranger = await tested.registerAgent(await tested.token("human", "user-2"), key);
    await tested.authority.registry.revokeAgent(stranger.body.agent_runtime_id);
    expectRefusal(await tested.registerAgent(token, key), 401, "agent_revoked");
  });
});

describe("the limits of agents", () => {
  it("refuse one more live agent of a user, not of another (G-A35)", async () => {
    await using tested = await TestedAuthority.start({ maxLiveAgents: 2 });
    const first = await tested.agent("user-1");
    await tested.agent("user-1");
    const answer = await tested.registerAgent(first.token, AgentKey.generate());
    expectRefusal(answer, 403, "agent_limit");
    expect(answer.body.detail).toMatch(/2 live agents already; .*raise the limit/);
    expect((await tested.registerAgent(first.token, first.key)).body.agent_runtime_id).toBe(
      first.id,
    );
    for (const [userId, accountId] of [
      ["user-2", "acct-1"],
      ["user-1", "acct-2"],
    ]) {
      const other = await tested.token("human", userId, accountId);
      expect((await tested.registerAgent(other, AgentKey.generate())).status).toBe(200);
    }
    await tested.authority.registry.revokeAgent(first.id);
    expect((await tested.registerAgent(first.token, AgentKey.generate())).status).toBe(200);
  });

  it("do not count claims that lapsed or agents that ended", async () => {
    await using tested = await TestedAuthority.start({ maxLiveAgents: 1, agentTtlSeconds: 7_200 });
    const ended = await tested.agent();
    await tested.registerTask(ended.id, ended.key);
    tested.clock.nowMs += 7_200_000;
    expect((await tested.registerAgent(ended.token, AgentKey.generate())).status).toBe(200);
    tested.clock.nowMs += DAY_MS;
    const token = await tested.token();
    expect((await tested.registerAgent(token, AgentKey.generate())).status).toBe(200);
  });

  it("count an agent again that ended or lapsed and is registered again, proven or not", async () => {
    await using tested = await TestedAuthority.start({ maxLiveAgents: 1, agentTtlSeconds: 7_200 });
    const ended = await tested.agent();
    await tested.registerTask(ended.id, ended.key);
    tested.clock.nowMs += 7_200_000;
    const token = await tested.token();
    const lapsed = AgentKey.generate();
    const first = await tested.registerAgent(token, lapsed);
    expect(first.status).toBe(200);
    expectRefusal(await tested.registerAgent(token, ended.key), 403, "agent_limit");
    tested.clock.nowMs += DAY_MS;
    const again = await tested.token();
    expect((await tested.registerAgent(again, ended.key)).body.agent_runtime_id).toBe(ended.id);
    expectRefusal(await tested.registerAgent(again, lapsed), 403, "agent_limit");
    // The one that lives is renewed all the same.
    expect((await tested.registerAgent(again, ended.key)).status).toBe(200);
  });
});

it("a claim that lapsed without any end of life is counted again when it is registered again", async () => {
  await using tested = await TestedAuthority.start({ maxLiveAgents: 1 });
  const lapsed = AgentKey.generate();
  expect((await tested.registerAgent(await tested.token(), lapsed)).status).toBe(200);
  tested.clock.nowMs += DAY_MS;
  const token = await tested.token();
  expect((await tested.registerAgent(token, AgentKey.generate())).status).toBe(200);
  expectRefusal(await tested.registerAgent(token, lapsed), 403, "agent_limit");
});

describe("the life of an agent", () => {
  it("ends after the requested ttl, capped by the operator's", async () => {
    await using tested = await TestedAuthority.start({ agentTtlSeconds: 3_600 });
    const token = await tested.token();
    for (const [ttl, seconds] of [
      [60, 60],
      [3_601, 3_600],
      [Number.MAX_SAFE_INTEGER, 3_600],
      [null, 3_600],
    ] as const) {
      const answer = await tested.registerAgent(token, AgentKey.generate(), { ttl });
      expect(Date.parse(answer.body.expires_at)).toBe(NOON + seconds * 1_000);
    }
  });

  it("is refused when it has ended, and renewed by registering the same key", async () => {
    await using tested = await TestedAuthority.start({ agentTtlSeconds: 3_600 });
    const { id, key, token } = await tested.agent();
    tested.clock.nowMs += 3_600_000 - 1_000;
    expect((await tested.registerTask(id, key)).status).toBe(200);
    tested.clock.nowMs += 1_000;
    expectRefusal(await tested.registerTask(id, key), 401, "agent_expired");
    const directory = await tested.call("GET", `/v1/agent/${id}`);
    expect(directory.body.agent_state).toBe("expired");
    expect((await tested.registerAgent(token, key)).body.agent_runtime_id).toBe(id);
    expect((await tested.registerTask(id, key)).status).toBe(200);
  });

  it("is not shortened by a repeat, which proves no key", async () => {
    await using tested = await TestedAuthority.start();
    const { id, key, token } = await tested.agent();
    expect((await tested.registerAgent(token, key, { ttl: 1 })).body).not.toHaveProperty(
      "expires_at",
    );
    tested.clock.nowMs += 2_000;
    expect((await tested.registerTask(id, key)).status).toBe(200);
  });

  it("loses its end by a repeat that asks for none", async () => {
    await using tested = await TestedAuthority.start();
    const token = await tested.token();
    const key = AgentKey.generate();
    const first = await tested.registerAgent(token, key, { ttl: 60 });
    expect(Date.parse(first.body.expires_at)).toBe(NOON + 60_000);
    expect((await tested.registerAgent(token, key)).body).not.toHaveProperty("expires_at");
  });

  it("begins again with the claim to its key, which a repeat makes again before it lapses", async () => {
    await using tested = await TestedAuthority.start();
    const { id, key, token } = await tested.agent();
    tested.clock.nowMs += DAY_MS - 1_000;
    expect((await tested.registerAgent(token, key)).body.agent_runtime_id).toBe(id);
    tested.clock.nowMs += DAY_MS - 1_000;
    expect((await tested.call("GET", `/v1/agent/${id}`)).status).toBe(200);
    tested.clock.nowMs += 1_000;
    expectRefusal(await tested.call("GET", `/v1/agent/${id}`), 404, "unknown_agent");
    const { body } = await tested.registerAgent(await tested.token(), key, { ttl: 60 });
    expect(Date.parse(body.expires_at)).toBe(tested.clock.nowMs + 60_000);
  });

  it("has an end within ten years even if the client asks for more", async () => {
    await using tested = await TestedAuthority.start();
    const answer = await tested.registerAgent(await tested.token(), AgentKey.generate(), {
      ttl: Number.MAX_SAFE_INTEGER,
    });
    expect(Date.parse(answer.body.expires_at)).toBe(NOON + 315_360_000_000);
  });
});
