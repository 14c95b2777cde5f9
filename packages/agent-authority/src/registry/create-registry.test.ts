import { expectRejection } from "@countersign/testing/vitest";
import { describe, expect, it } from "vitest";
import { NOON, openScratchStore, TestedAuthority } from "../../test/start-authority.js";
import { AgentAuthorityError } from "../agent-authority-error.js";
import type { CreateAccessTokenOptions } from "../operations/registry-types.js";
import { createRegistry } from "./create-registry.js";

const human: CreateAccessTokenOptions = {
  accountId: "acct-1",
  userId: "user-1",
  role: "human",
  ttlSeconds: 60,
};

const NOTHING = { agents: 0, tasks: 0, tokens: 0 };

describe("access tokens", () => {
  it("are refused for ids, roles and lifetimes that are not allowed", async () => {
    await using store = await openScratchStore();
    const registry = createRegistry(store);
    for (const change of [
      { accountId: "" },
      { accountId: "a b" },
      { userId: 'a"b' },
      { userId: "é" },
      { role: "admin" },
      { ttlSeconds: 0 },
      { ttlSeconds: 1.5 },
      { ttlSeconds: Number.NaN },
      { ttlSeconds: 315_360_001 },
      { name: "" },
      { name: " laptop" },
      { name: "a\nb" },
      { name: "é" },
      { name: "x".repeat(65) },
      { name: `cs_human_${"A".repeat(43)}` },
      { scopes: ["tokens"] },
      { role: "read", scopes: ["tokens"] },
      { role: "operate", scopes: ["root"] },
      { role: "operate", scopes: "tokens" },
    ]) {
      const options = { ...human, ...change } as CreateAccessTokenOptions;
      const promise = registry.createAccessToken(options);
      await expectRejection(promise, AgentAuthorityError, "invalid_request");
    }
    expect(await registry.listAccessTokens()).toEqual([]);
  });

  it("begin with a prefix by role, and the database never holds one (G-A1)", async () => {
    await using store = await openScratchStore({ now: () => NOON });
    const registry = createRegistry(store);
    for (const [role, prefix, scope] of [
      ["human", "cs_human_"],
      ["resource_server", "cs_rs_"],
      ["read", "cs_read_"],
      ["audit", "cs_audit_"],
      ["stop", "cs_stop_"],
      ["operate", "cs_limited_operate_"],
      ["operate", "cs_operate_", "tokens"],
    ] as const) {
      const scopes = scope === undefined ? [] : [scope];
      const { token, expiresAt } = await registry.createAccessToken({ ...human, role, scopes });
      expect(token).toMatch(new RegExp(`^${prefix}[A-Za-z0-9_-]{43}$`));
      expect(expiresAt).toBe("2026-04-15T12:01:00Z");
      const rows = await store.rows.selectFrom("access_tokens").selectAll().execute();
      const audit = await store.rows.selectFrom("audit_events").selectAll().execute();
      expect(JSON.stringify([rows, audit])).not.toContain(token.slice(prefix.length));
      expect(JSON.stringify(await registry.listAccessTokens())).not.toContain(token);
    }
  });

  it("are listed with their state and revoked once", async () => {
    let nowMs = NOON;
    await using store = await openScratchStore();
    const registry = createRegistry(store, { now: () => nowMs });
    const { id } = await registry.createAccessToken(human);
    await registry.createAccessToken({ ...human, role: "read" });
    nowMs += 30_000;
    const revoked = await registry.revokeAccessToken(id);
    nowMs += 1_000;
    expect(await registry.revokeAccessToken(id)).toEqual({ ...revoked, stopped: NOTHING });
    expect(revoked).toMatchObject({ state: "revoked", revokedAt: "2026-04-15T12:00:30Z" });
    expect(await registry.revokeAccessToken("token-1")).toBeUndefined();
    nowMs += 60_000;
    const states = (await registry.listAccessTokens()).map((token) => token.state);
    expect(states).toEqual(["revoked", "expired"]);
    expect((await registry.listAuditEvents()).map((event) => event.action)).toEqual([
      "access_token_created",
      "access_token_created",
      "access_token_revoked",
    ]);
  });
});

describe("agents and tasks", () => {
  it("are undefined when there is none", async () => {
    await using store = await openScratchStore();
    const registry = createRegistry(store);
    expect(await registry.getAgent("agent-1")).toBeUndefined();
    expect(await registry.revokeAgent("agent-1")).toBeUndefined();
    expect(await registry.getTask("task-1")).toBeUndefined();
    expect(await registry.revokeTask("task-1")).toBeUndefined();
  });

  it("are listed oldest first, by account, user and agent", async () => {
    await using tested = await TestedAuthority.start();
    const { registry } = tested.authority;
    const one = await tested.agent("user-1");
    const two = await tested.agent("user-2");
    await tested.registerTask(two.id, two.key);
    await tested.registerTask(one.id, one.key);
    const ids = (await registry.listAgents()).map((agent) => agent.agentRuntimeId);
    expect(ids).toEqual([one.id, two.id]);
    expect(await registry.listAgents({ userId: "user-2" })).toMatchObject([
      { agentRuntimeId: two.id, proven: true, agentPublicKey: two.key.publicKey.line },
    ]);
    expect(await registry.listAgents({ accountId: "acct-2" })).toEqual([]);
    const tasks = await registry.listTasks();
    expect(tasks.map((task) => task.agentRuntimeId)).toEqual([two.id, one.id]);
    expect(await registry.listTasks({ agentRuntimeId: one.id })).toMatchObject([
      { agentRuntimeId: one.id, accountId: "acct-1", userId: "user-1", state: "active" },
    ]);
    expect(await registry.listTasks({ accountId: "acct-2" })).toEqual([]);
    const [task] = tasks;
    expect(await registry.getTask(task?.taskId ?? "")).toEqual(task);
  });

  it("are revoked once, and an agent's end is shown on its tasks", async () => {
    await using tested = await TestedAuthority.start();
    const { registry } = tested.authority;
    const { id, key } = await tested.agent();
    await tested.registerTask(id, key);
    await tested.registerTask(id, key);
    const [first, second] = await registry.listTasks();
    const revoked = await registry.revokeTask(first?.taskId ?? "");
    tested.clock.nowMs += 1_000;
    const again = await registry.revokeTask(first?.taskId ?? "");
    expect(again).toEqual({ ...revoked, stopped: NOTHING });
    expect(revoked).toMatchObject({ state: "revoked", revokedAt: "2026-04-15T12:00:00Z" });
    expect(await registry.getTask(second?.taskId ?? "")).toMatchObject({ state: "active" });
    const agent = await registry.revokeAgent(id);
    expect(await registry.revokeAgent(id)).toEqual({ ...agent, stopped: NOTHING });
    expect(agent).toMatchObject({ state: "revoked" });
    const ended = await registry.getTask(second?.taskId ?? "");
    expect(ended).toMatchObject({ state: "revoked" });
    expect(ended).not.toHaveProperty("revokedAt");
    const actions = (await registry.listAuditEvents()).map((event) => event.action);
    expect(actions.filter((action) => action.endsWith("_revoked"))).toEqual([
      "task_revoked",
      "agent_revoked",
    ]);
  });
});

describe("the audit log", () => {
  it("rejects an invalid range, and pages by sequence", async () => {
    await using store = await openScratchStore();
    const registry = createRegistry(store);
    for (let i = 0; i < 3; i += 1) await registry.createAccessToken(human);
    for (const filter of [{ after: -1 }, { after: 0.5 }, { limit: 0 }, { limit: 10_001 }]) {
      const promise = registry.listAuditEvents(filter);
      await expectRejection(promise, AgentAuthorityError, "invalid_request");
    }
    const page = await registry.listAuditEvents({ after: 1, limit: 1 });
    expect(page.map((event) => event.sequence)).toEqual([2]);
  });
});
