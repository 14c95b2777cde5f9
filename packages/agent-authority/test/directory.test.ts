import { formatTimestamp } from "@countersign/agent-key";
import { openSealedBox } from "@countersign/agent-task/sealed-box";
import { describe, expect, it } from "vitest";
import { expectRefusal } from "./expect-refusal.js";
import { TestedAuthority } from "./start-authority.js";

async function agentWithTask(tested: TestedAuthority, userId = "user-1") {
  const agent = await tested.agent(userId);
  const { body } = await tested.registerTask(agent.id, agent.key);
  const box = Buffer.from(body.encrypted_task_id, "base64");
  return { ...agent, taskId: Buffer.from(openSealedBox(box, agent.key)).toString() };
}

describe("the directory", () => {
  it("answers 404 for an agent that is not known, with and without a task", async () => {
    await using tested = await TestedAuthority.start();
    for (const path of ["/v1/agent/agent-1", "/v1/agent/agent-1/task/task-1"]) {
      expectRefusal(await tested.call("GET", path), 404, "unknown_agent");
    }
  });

  it("answers null for a task that is unknown or another agent's", async () => {
    await using tested = await TestedAuthority.start();
    const one = await agentWithTask(tested, "user-1");
    const two = await agentWithTask(tested, "user-2");
    for (const taskId of ["task-1", two.taskId]) {
      const answer = await tested.call("GET", `/v1/agent/${one.id}/task/${taskId}`);
      expect(answer.status).toBe(200);
      expect(answer.body.task).toBeNull();
      expect(answer.body.agent_runtime_id).toBe(one.id);
    }
  });

  it("says what a verifier needs of an agent and its task", async () => {
    await using tested = await TestedAuthority.start();
    const { id, key, taskId } = await agentWithTask(tested);
    const answer = await tested.call("GET", `/v1/agent/${id}/task/${taskId}`);
    expect(answer.status).toBe(200);
    expect(answer.headers["cache-control"]).toBe("private, max-age=15");
    expect(answer.body).toEqual({
      agent_runtime_id: id,
      account_id: "acct-1",
      user_id: "user-1",
      capabilities: [],
      agent_public_keys: [key.publicKey.line],
      agent_state: "active",
      task: { task_id: taskId, state: "active" },
    });
    const agentAlone = await tested.call("GET", `/backend-api/v1/agent/${id}`);
    expect(agentAlone.body).toEqual({ ...answer.body, task: null });
  });

  it("shows a revocation at the next request", async () => {
    await using tested = await TestedAuthority.start();
    const { id, taskId } = await agentWithTask(tested);
    const path = `/v1/agent/${id}/task/${taskId}`;
    await tested.authority.registry.revokeTask(taskId);
    expect((await tested.call("GET", path)).body.task.state).toBe("revoked");
    await tested.authority.registry.revokeAgent(id);
    expect((await tested.call("GET", path)).body.agent_state).toBe("revoked");
  });

  it("answers 304 to a matching ETag until something changes", async () => {
    await using tested = await TestedAuthority.start();
    const { id, taskId } = await agentWithTask(tested);
    const path = `/v1/agent/${id}/task/${taskId}`;
    const etag = String((await tested.call("GET", path)).headers.etag);
    expect(etag).toMatch(/^"[^"]+"$/);
    for (const value of [etag, `W/${etag}`, `"other", ${etag}`, "*"]) {
      const answer = await tested.call("GET", path, { headers: { "if-none-match": value } });
      expect(answer.status).toBe(304);
      expect(answer.text).toBe("");
      expect(answer.headers).toMatchObject({ etag, "cache-control": "private, max-age=15" });
      expect(answer.headers.date).toBeDefined();
    }
    await tested.authority.registry.revokeTask(taskId);
    const changed = await tested.call("GET", path, { headers: { "if-none-match": etag } });
    expect(changed.status).toBe(200);
    expect(changed.headers.etag).not.toBe(etag);
  });
});

describe("who may read the directory", () => {
  it("takes a resource_server token, and no other, where publicUrl is set, and says when it ends", async () => {
    await using tested = await TestedAuthority.start({ publicUrl: "https://authority.example" });
    const { id } = await tested.agent();
    const path = `/v1/agent/${id}`;
    expectRefusal(await tested.call("GET", path), 401, "unauthenticated");
    for (const role of ["human", "read", "operate"] as const) {
      const headers = { authorization: `Bearer ${await tested.token(role)}` };
      expectRefusal(await tested.call("GET", path, { headers }), 401, "unauthenticated");
    }
    const { registry } = tested.authority;
    const { id: tokenId, token } = await registry.createAccessToken({
      accountId: "acct-1",
      userId: "user-1",
      role: "resource_server",
      ttlSeconds: 60,
    });
    const headers = { authorization: `Bearer ${token}` };
    const answer = await tested.call("GET", path, { headers });
    expect(answer.status).toBe(200);
    const end = formatTimestamp(tested.clock.nowMs + 60_000);
    expect(answer.headers["x-token-expires-at"]).toBe(end);
    const again = { ...headers, "if-none-match": String(answer.headers.etag) };
    const unchanged = await tested.call("GET", path, { headers: again });
    expect([unchanged.status, unchanged.headers["x-token-expires-at"]]).toEqual([304, end]);
    const missing = await tested.call("GET", "/v1/agent/agent-1", { headers });
    expect([missing.status, missing.headers["x-token-expires-at"]]).toEqual([404, end]);
    await registry.revokeAccessToken(tokenId);
    expectRefusal(await tested.call("GET", path, { headers }), 401, "unauthenticated");
    const unknown = await tested.call("GET", "/v1/agent/agent-1");
    expectRefusal(unknown, 401, "unauthenticated");
  });

  it("takes a token from whatever a proxy passed on or another name led to (G-A36)", async () => {
    await using tested = await TestedAuthority.start();
    const { id } = await tested.agent();
    const token = await tested.token("resource_server");
    const { port } = new URL(tested.url);
    for (const headers of [
      { forwarded: "for=192.0.2.1" },
      { via: "1.1 proxy" },
      { "x-forwarded-for": "127.0.0.1" },
      { "X-Forwarded-Host": "localhost" },
      { "x-forwarded-anything": "1" },
      { "X-Real-IP": "127.0.0.1" },
      { X_Forwarded_For: "127.0.0.1" },
      { "x.forwarded.for": "127.0.0.1" },
      { X_REAL_IP: "127.0.0.1" },
      { "forwarded-for": "127.0.0.1" },
      { "x-forward-for": "127.0.0.1" },
      { "cf-connecting-ip": "127.0.0.1" },
      { "true-client-ip": "127.0.0.1" },
      { "x-client-ip": "127.0.0.1" },
      { "x-cluster-client-ip": "127.0.0.1" },
      { "fastly-client-ip": "127.0.0.1" },
      { "x-appengine-user-ip": "127.0.0.1" },
      { "x-azure-socketip": "127.0.0.1" },
      { "x-envoy-external-address": "127.0.0.1" },
      { "x-nf-client-connection-ip": "127.0.0.1" },
      { "x-remote-addr": "127.0.0.1" },
      { "x-original-forwarded-for": "127.0.0.1" },
      { "x-original-url": "/v1/agent/agent-1" },
      { "cdn-loop": "cdn.example" },
      { host: `authority.example:${port}` },
      { host: `127.0.0.1.authority.example:${port}` },
      { host: "" },
      { host: "127.0.0.1/x" },
      { host: "user@127.0.0.1" },
    ]) {
      const refused = await tested.call("GET", `/v1/agent/${id}`, { headers });
      expectRefusal(refused, 401, "unauthenticated");
      const allowed = await tested.call("GET", `/v1/agent/${id}`, {
        headers: { ...headers, authorization: `Bearer ${token}` },
      });
      expect(allowed.status).toBe(200);
    }
  });

  it("is open whatever else a program of this machine sends (G-A36)", async () => {
    await using tested = await TestedAuthority.start();
    const { id } = await tested.agent();
    const headers = {
      accept: "application/json",
      "user-agent": "forwarded via x-real-ip",
      "x-request-id": "request-1",
      traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
      "x-client-version": "1",
      "x-description": "1",
    };
    expect((await tested.call("GET", `/v1/agent/${id}`, { headers })).status).toBe(200);
  });

  it("is open to loopback names on a loopback listener", async () => {
    await using tested = await TestedAuthority.start();
    const { id } = await tested.agent();
    const { port } = new URL(tested.url);
    for (const host of [`127.0.0.1:${port}`, `localhost:${port}`, `[::1]:${port}`, "localhost"]) {
      const answer = await tested.call("GET", `/v1/agent/${id}`, { headers: { host } });
      expect(answer.status).toBe(200);
    }
  });

  it("refuses a wrong token even where none is needed", async () => {
    await using tested = await TestedAuthority.start();
    const { id } = await tested.agent();
    const headers = { authorization: `Bearer ${await tested.token("human")}` };
    expectRefusal(await tested.call("GET", `/v1/agent/${id}`, { headers }), 401, "unauthenticated");
  });

  it("takes a token on a listener that others can reach, even from this machine (G-A36)", async () => {
    await using tested = await TestedAuthority.start();
    const { id } = await tested.agent();
    const { url } = await tested.authority.listen({ host: "0.0.0.0", port: 0 });
    const { port } = new URL(url);
    const response = await fetch(`http://127.0.0.1:${port}/v1/agent/${id}`);
    expect(response.status).toBe(401);
    expect(await response.json()).toMatchObject({ code: "unauthenticated" });
  });
});
