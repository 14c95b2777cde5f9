import { AgentKey } from "@countersign/agent-key";
import { expectRejection } from "@countersign/testing/vitest";
import { describe, expect, it } from "vitest";
import {
  AgentAuthorityError,
  type AuditEvent,
  createRegistry,
  followAuditEvents,
  openStore,
  type Registry,
} from "../src/index.js";
import { expectRefusal } from "./expect-refusal.js";
import {
  agentBody,
  biscuitHeaders,
  openScratchStore,
  TestedAuthority,
  taskBody,
  taskPath,
} from "./start-authority.js";
import { createTestDatabase } from "./test-database.js";

const REGISTER = "/v1/agent/register";

async function refusalsOf(registry: Registry): Promise<AuditEvent[]> {
  return (await registry.listAuditEvents()).filter(({ code }) => code !== undefined);
}

describe("refusals", () => {
  it("have no credential that was sent as an id or a request id, and never more than an id's length", async () => {
    await using tested = await TestedAuthority.start();
    const { registry } = tested.authority;
    const token = await tested.token();
    const long = "a&token=b".repeat(28);
    for (const id of [token, `agent-${token}`, encodeURIComponent(long)]) {
      const headers = { "x-request-id": token };
      expect((await tested.call("POST", `/v1/agent/${id}/revoke`, { headers })).status).toBe(401);
    }
    const events = await registry.listAuditEvents({ action: "agent_revocation" });
    const claims = events.map(({ claimedAgentRuntimeId }) => claimedAgentRuntimeId);
    expect(claims.slice(0, 2)).toEqual(["[hidden]", "agent-[hidden]"]);
    expect(claims[2]).toHaveLength(256);
    const rows = await tested.store.rows.selectFrom("audit_events").selectAll().execute();
    expect(JSON.stringify(rows)).not.toContain(token.slice(9));
    // They are read by the admin API as well, whose schema they meet.
    const read = await tested.callAdmin("GET", "/v1/admin/audit?action=agent_revocation", {
      headers: { authorization: `Bearer ${await tested.token("read")}` },
    });
    expect(read.body.events).toHaveLength(3);
  });

  it("of callers that proved nothing name the request, its address, and the claimed agent as a claim (G-A37)", async () => {
    await using tested = await TestedAuthority.start();
    const { registry } = tested.authority;
    const { id, key } = await tested.agent();
    const headers = { "x-request-id": "request-1" };
    const stranger = AgentKey.generate();
    const body = taskBody(id, stranger, tested.clock.nowMs);
    expectRefusal(await tested.call("POST", taskPath(id), { headers, body }), 401, "bad_signature");
    expectRefusal(await tested.call("POST", taskPath(id), { body: {} }), 400, "invalid_request");
    expectRefusal(await tested.registerTask("agent_1", key), 401, "unknown_agent");
    expectRefusal(await tested.call("POST", taskPath("agent%3A1"), { body }), 401, "unknown_agent");
    expectRefusal(
      await tested.call("POST", REGISTER, { body: agentBody(key) }),
      401,
      "unauthenticated",
    );
    expectRefusal(
      await tested.call("POST", REGISTER, { headers: { "content-type": "text/plain" }, body: "x" }),
      415,
      "invalid_request",
    );
    expectRefusal(await tested.call("GET", "/v1/whoami"), 401, "unauthenticated");
    const tokenless = biscuitHeaders("cs_human_x", tested.url + REGISTER);
    expectRefusal(
      await tested.call("GET", "/authenticate_app_v2", { headers: tokenless }),
      401,
      "unauthenticated",
    );
    const reader = { authorization: "Bearer x" };
    expectRefusal(
      await tested.call("GET", `/v1/agent/${id}`, { headers: reader }),
      401,
      "unauthenticated",
    );
    expectRefusal(
      await tested.call("POST", `/v1/agent/${id}/key`, { body: {} }),
      401,
      "unauthenticated",
    );
    expectRefusal(
      await tested.call("POST", `/v1/agent/${id}/revoke`, { body: {} }),
      401,
      "unauthenticated",
    );
    expectRefusal(
      await tested.call("POST", "/v1/assertion/introspect", { body: {} }),
      401,
      "unauthenticated",
    );
    const events = await refusalsOf(registry);
    expect(
      events.map(({ action, code, claimedAgentRuntimeId }) => [
        action,
        code,
        claimedAgentRuntimeId,
      ]),
    ).toEqual([
      ["task_registration", "bad_signature", id],
      ["task_registration", "invalid_request", id],
      ["task_registration", "unknown_agent", "agent_1"],
      ["task_registration", "unknown_agent", undefined],
      ["agent_registration", "unauthenticated", undefined],
      ["agent_registration", "invalid_request", undefined],
      ["whoami", "unauthenticated", undefined],
      ["biscuit", "unauthenticated", undefined],
      ["directory", "unauthenticated", id],
      ["key_rotation", "unauthenticated", id],
      ["agent_revocation", "unauthenticated", id],
      ["introspection", "unauthenticated", undefined],
    ]);
    for (const event of events) {
      expect(event).toMatchObject({ address: "127.0.0.1", requestId: expect.any(String) });
      const { actor, accountId, userId, agentRuntimeId, accessTokenId } = event;
      expect({ actor, accountId, userId, agentRuntimeId, accessTokenId }).toEqual({});
    }
    expect(events[0]).toMatchObject({ requestId: "request-1", at: "2026-04-15T12:00:00Z" });
  });

  it("name the human whose credential held, and the agent whose signature did (G-A37)", async () => {
    await using tested = await TestedAuthority.start();
    const { registry } = tested.authority;
    const { id, key, token } = await tested.agent();
    await registry.revokeAgent(id);
    expectRefusal(await tested.registerTask(id, key), 401, "agent_revoked");
    expectRefusal(await tested.registerAgent(token, key), 401, "agent_revoked");
    await registry.revokeUser("acct-1", "user-1");
    const headers = { authorization: `Bearer ${token}` };
    expectRefusal(await tested.call("GET", "/v1/whoami", { headers }), 403, "forbidden");
    const [human] = await registry.listAccessTokens();
    const who = { accountId: "acct-1", userId: "user-1" };
    const byHuman = { ...who, actor: `token:${human?.id}`, accessTokenId: human?.id };
    const refusals = await refusalsOf(registry);
    expect(refusals).toMatchObject([
      { ...who, action: "task_registration", actor: `agent:${id}`, agentRuntimeId: id },
      { ...byHuman, action: "agent_registration", code: "agent_revoked" },
      { ...byHuman, action: "whoami", code: "forbidden" },
    ]);
    expect(refusals.filter((event) => "claimedAgentRuntimeId" in event)).toEqual([]);
  });

  it("are recorded once, also where the transaction was kept for a spent biscuit", async () => {
    await using tested = await TestedAuthority.start();
    const key = AgentKey.generate();
    const headers = {
      "x-openai-authorization": await tested.biscuit(await tested.token(), REGISTER),
    };
    const request = { headers, body: agentBody(key) };
    expect((await tested.call("POST", REGISTER, request)).status).toBe(200);
    expectRefusal(await tested.call("POST", REGISTER, request), 401, "biscuit_invalid");
    expect(await refusalsOf(tested.authority.registry)).toMatchObject([
      { action: "agent_registration", code: "biscuit_invalid" },
    ]);
  });

  it("for being too many are recorded once in a window (G-A38)", async () => {
    await using tested = await TestedAuthority.start({ rateLimits: { refusalsPerMinute: 2 } });
    for (let i = 0; i < 6; i += 1) await tested.call("GET", "/v1/whoami");
    const reader = { authorization: "Bearer x" };
    for (let i = 0; i < 3; i += 1) {
      const answer = await tested.call("GET", "/v1/agent/agent_1", { headers: reader });
      expectRefusal(answer, 429, "rate_limited");
    }
    const codes = async () => (await refusalsOf(tested.authority.registry)).map(({ code }) => code);
    expect(await codes()).toEqual(["unauthenticated", "unauthenticated", "rate_limited"]);
    tested.clock.nowMs += 60_000;
    await tested.call("GET", "/v1/whoami");
    expect(await codes()).toHaveLength(4);
  });

  it("are no matter of the audit log where nothing of a path is served, or a directory has no such agent", async () => {
    await using tested = await TestedAuthority.start();
    for (const [method, path] of [
      ["GET", "/v1/nothing"],
      ["PUT", REGISTER],
      ["GET", "/v1/agent/agent_1"],
      ["GET", "/healthz"],
    ] as const) {
      await tested.call(method, path);
    }
    expect(await tested.authority.registry.listAuditEvents()).toEqual([]);
  });
});

describe("changes", () => {
  it("name who made them, from where and in which request", async () => {
    await using tested = await TestedAuthority.start();
    const { registry } = tested.authority;
    const token = await tested.token();
    const key = AgentKey.generate();
    const headers = { authorization: `Bearer ${token}`, "x-request-id": "request-2" };
    const { body } = await tested.call("POST", REGISTER, { headers, body: agentBody(key) });
    const id: string = body.agent_runtime_id;
    await tested.registerTask(id, key, { "x-request-id": "request-3" });
    const [human] = await registry.listAccessTokens();
    const remote = createRegistry(tested.store, {
      origin: { actor: "admin:token-9", address: "192.0.2.1", requestId: "request-4" },
    });
    await remote.revokeAgent(id);
    const address = "127.0.0.1";
    const actor = `token:${human?.id}`;
    const signed = { actor: `agent:${id}`, address, requestId: "request-3" };
    const events = await registry.listAuditEvents();
    expect(events.filter((event) => "code" in event)).toEqual([]);
    expect(events[0]).not.toHaveProperty("address");
    expect(events).toMatchObject([
      { action: "access_token_created", actor: "operator" },
      {
        action: "agent_registered",
        actor,
        address,
        requestId: "request-2",
        accessTokenId: human?.id,
      },
      { ...signed, action: "agent_proven" },
      { ...signed, action: "task_registered" },
      {
        action: "agent_revoked",
        actor: "admin:token-9",
        address: "192.0.2.1",
        requestId: "request-4",
      },
    ]);
  });
});

describe("the events of a filter", () => {
  it("are refused for an invalid range", async () => {
    await using store = await openScratchStore();
    const registry = createRegistry(store);
    for (const filter of [{ last: 0 }, { last: 10_001 }, { last: 1, limit: 1 }, { last: 0.5 }]) {
      const promise = registry.listAuditEvents(filter);
      await expectRejection(promise, AgentAuthorityError, "invalid_request");
    }
    expect(await registry.listAuditEvents({ last: 3 })).toEqual([]);
  });

  it("meet all of it, the oldest or the newest, oldest first", async () => {
    await using tested = await TestedAuthority.start();
    const { registry } = tested.authority;
    const one = await tested.agent("user-1");
    const two = await tested.agent("user-2");
    const stranger = await tested.token("human", "user-3", "acct-2");
    await tested.registerTask(one.id, AgentKey.generate());
    await tested.registerTask(one.id, one.key);
    expectRefusal(await tested.registerAgent(stranger, one.key), 409, "invalid_key");
    const list = async (filter: Parameters<Registry["listAuditEvents"]>[0]) =>
      (await registry.listAuditEvents(filter)).map(
        ({ sequence, action }) => `${sequence} ${action}`,
      );
    expect(await list({})).toEqual([
      "1 access_token_created",
      "2 agent_registered",
      "3 access_token_created",
      "4 agent_registered",
      "5 access_token_created",
      "6 task_registration",
      "7 agent_proven",
      "8 task_registered",
      "9 agent_registration",
    ]);
    expect(await list({ last: 2 })).toEqual(["8 task_registered", "9 agent_registration"]);
    expect(await list({ action: "agent_registered" })).toEqual([
      "2 agent_registered",
      "4 agent_registered",
    ]);
    expect(await list({ action: "agent_registered", last: 1 })).toEqual(["4 agent_registered"]);
    expect(await list({ action: "agent_registered", limit: 1 })).toEqual(["2 agent_registered"]);
    expect(await list({ action: "agent_registered", after: 2 })).toEqual(["4 agent_registered"]);
    expect(await list({ code: "bad_signature" })).toEqual(["6 task_registration"]);
    expect(await list({ accountId: "acct-2" })).toEqual([
      "5 access_token_created",
      "9 agent_registration",
    ]);
    expect(await list({ agentRuntimeId: one.id })).toEqual([
      "2 agent_registered",
      "6 task_registration",
      "7 agent_proven",
      "8 task_registered",
    ]);
    expect(await list({ agentRuntimeId: two.id, accountId: "acct-2" })).toEqual([]);
  });
});

describe("following the audit log", () => {
  it("rejects what a list of events does", async () => {
    await using store = await openScratchStore();
    const next = followAuditEvents(createRegistry(store), { after: -1 }).next();
    await expectRejection(next, AgentAuthorityError, "invalid_request");
  });

  it("gives every event of several processes once and in order, and ends when it is told to (G-A39)", async () => {
    await using database = await createTestDatabase();
    await using first = await openStore(database.url);
    await using second = await openStore(database.url);
    const registries = [first, second].map((store) => createRegistry(store));
    const stop = new AbortController();
    const options = { pollMs: 5, signal: stop.signal };
    const seen: number[] = [];
    const kept: string[] = [];
    const followAll = async () => {
      for await (const { sequence } of followAuditEvents(createRegistry(first), options)) {
        seen.push(sequence);
        if (seen.length === 120) stop.abort();
      }
    };
    const followSome = async () => {
      const filter = { ...options, action: "user_revoked" } as const;
      for await (const { action, userId } of followAuditEvents(createRegistry(second), filter)) {
        kept.push(`${action} ${userId}`);
      }
    };
    const writing = Array.from({ length: 60 }, async (_, index) => {
      const registry = registries[index % 2];
      await registry?.revokeUser("acct-1", `user-${index}`, { evenIfUnknown: true });
      await registry?.restoreUser("acct-1", `user-${index}`);
    });
    const following = [followAll(), followSome()];
    await Promise.all(writing);
    await Promise.all(following);
    expect(seen).toEqual([...seen].sort((a, b) => a - b));
    expect(new Set(seen).size).toBe(120);
    const events = await registries[0]?.listAuditEvents();
    expect(events?.map(({ sequence }) => sequence)).toEqual(seen);
    expect(new Set(kept).size).toBe(kept.length);
    expect(kept.every((line) => line.startsWith("user_revoked "))).toBe(true);
  });

  it("gives an event once that comes between its two looks", async () => {
    await using store = await openScratchStore();
    const registry = createRegistry(store);
    let accounts = 0;
    const busy: Pick<Registry, "listAuditEvents"> = {
      async listAuditEvents(filter) {
        const events = await registry.listAuditEvents(filter);
        if (filter?.last === 1 && accounts < 3) {
          await registry.revokeAccount(`acct-${accounts++}`, { evenIfUnknown: true });
        }
        return events;
      },
    };
    const stop = new AbortController();
    const seen: number[] = [];
    for await (const { sequence } of followAuditEvents(busy, { pollMs: 1, signal: stop.signal })) {
      seen.push(sequence);
      if (sequence === 3) stop.abort();
    }
    expect(seen).toEqual([1, 2, 3]);
  });

  it("ends while it waits", async () => {
    await using store = await openScratchStore();
    const stop = new AbortController();
    const options = { pollMs: 3_600_000, signal: stop.signal };
    const next = followAuditEvents(createRegistry(store), options).next();
    stop.abort();
    expect(await next).toEqual({ done: true, value: undefined });
  });
});
