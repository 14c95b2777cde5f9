import { AgentKey } from "@countersign/agent-key";
import { expectRejection } from "@countersign/testing/vitest";
import { describe, expect, it } from "vitest";
import { AgentAuthorityError, createRegistry } from "../src/index.js";
import { seedRegistry } from "./bench/seed-registry.js";
import { expectRefusal } from "./expect-refusal.js";
import { openScratchStore, TestedAuthority } from "./start-authority.js";

const NOTHING = { agents: 0, tasks: 0, tokens: 0 };
const KNOWN = { account_id: "acct-1", user_id: "user-1" };

async function post(tested: TestedAuthority, path: string, body?: unknown) {
  const headers = { authorization: `Bearer ${await tested.token("operate", "operator", "ops")}` };
  return tested.callAdmin("POST", `/v1/admin/${path}`, { headers, body });
}

describe("a user or an account that is not known", () => {
  it("is not revoked, and the names next to it are told (G-A49)", async () => {
    await using tested = await TestedAuthority.start();
    const { registry } = tested.authority;
    await tested.token("human", "user-with-token");
    await tested.agent("user-with-agent");
    const before = await registry.listAuditEvents();
    const refused = async (path: string, body: object, near: string) => {
      const answer = await post(tested, path, body);
      expectRefusal(answer, 404, "invalid_request");
      expect(answer.body.detail).toContain(near);
      expect(answer.body.detail).toContain("even_if_unknown");
    };
    await refused("users/revoke", { ...KNOWN, user_id: "user-with-agen" }, "user-with-agent");
    await refused("users/revoke", { ...KNOWN, user_id: "user-with-tokem" }, "user-with-token");
    await refused("users/revoke", { ...KNOWN, account_id: "acct-2" }, "knows no user user-1");
    await refused("accounts/revoke", { account_id: "acct-11" }, "acct-1");
    await refused("accounts/revoke", { account_id: "acct-11", even_if_unknown: false }, "acct-1");
    // In the order of their names "user-with-agent" is before this one; "user-with-token" has more in common with it.
    const misspelt = { ...KNOWN, user_id: "user-with-toe" };
    await refused("users/revoke", misspelt, "user-with-token, user-with-agent;");
    const far = await post(tested, "users/revoke", { ...KNOWN, user_id: "xyz" });
    expect(far.body.detail).not.toContain("user-with");
    for (const [account, user] of [["acct-1", "other"] as const, ["acct-2", "user-1"] as const]) {
      await expectRejection(
        registry.revokeUser(account, user),
        AgentAuthorityError,
        "invalid_request",
      );
    }
    const changes = (await registry.listAuditEvents({ after: before.at(-1)?.sequence })).filter(
      ({ action }) => action !== "access_token_created" && action !== "admin",
    );
    expect(changes).toEqual([]);
    expect(await registry.listUsers({ state: "revoked" })).toEqual([]);
  });

  it("is barred before it comes if that is asked for, and known from then on", async () => {
    await using tested = await TestedAuthority.start();
    const barred = await post(tested, "users/revoke", { ...KNOWN, even_if_unknown: true });
    expect(barred.body).toMatchObject({ state: "revoked", stopped: NOTHING });
    const account = { account_id: "acct-2", even_if_unknown: true };
    expect((await post(tested, "accounts/revoke", account)).status).toBe(200);
    const token = await tested.token("human", "user-1", "acct-1");
    expectRefusal(await tested.registerAgent(token, AgentKey.generate()), 403, "forbidden");
    expect((await post(tested, "users/revoke", KNOWN)).status).toBe(200);
    expect((await post(tested, "accounts/revoke", { account_id: "acct-2" })).status).toBe(200);
  });
});

describe("a revocation", () => {
  it("counts what lived and was stopped by it, and nothing that had ended (G-A49)", async () => {
    await using tested = await TestedAuthority.start({ taskTtlSeconds: 3_600 });
    const { registry } = tested.authority;
    const dead = await tested.agent();
    await tested.registerTask(dead.id, dead.key);
    tested.clock.nowMs += 3_600_000;
    const lapsed = await tested.agent();
    tested.clock.nowMs += 82_801_000;
    const one = await tested.agent();
    const two = await tested.agent("user-2");
    for (const { id, key } of [one, one, two]) await tested.registerTask(id, key);
    await registry.revokeAgent(dead.id);
    const [task] = await registry.listTasks({ agentRuntimeId: one.id });
    expect(lapsed.id).not.toBe(one.id);
    tested.clock.nowMs += 3_599_000;

    const ofTask = (await post(tested, `tasks/${task?.taskId}/revoke`)).body;
    expect(ofTask.stopped).toEqual({ ...NOTHING, tasks: 1 });
    const ofUser = await registry.revokeUser("acct-1", "user-1");
    expect(ofUser.stopped).toEqual({ agents: 1, tasks: 1, tokens: 1 });
    expect((await registry.revokeUser("acct-1", "user-1")).stopped).toEqual(NOTHING);
    const ofAccount = await registry.revokeAccount("acct-1");
    expect(ofAccount.stopped).toEqual({ agents: 1, tasks: 1, tokens: 1 });
    expect((await registry.revokeAgent(one.id))?.stopped).toEqual(NOTHING);
    await registry.restoreUser("acct-1", "user-1");
    expect((await registry.revokeUser("acct-1", "user-1")).stopped).toEqual(NOTHING);
    await registry.restoreAccount("acct-1");
    expect((await registry.revokeAgent(two.id))?.stopped).toEqual({
      agents: 1,
      tasks: 1,
      tokens: 0,
    });
    const [, token] = await registry.listAccessTokens({ userId: "user-2" });
    expect(token).toBeUndefined();
    const [own] = await registry.listAccessTokens({ userId: "user-2" });
    expect((await registry.revokeAccessToken(own?.id ?? ""))?.stopped).toEqual({
      ...NOTHING,
      tokens: 1,
    });
    expect((await registry.revokeAccessToken(own?.id ?? ""))?.stopped).toEqual(NOTHING);
  });

  it("counts more agents than one statement looks at", async () => {
    await using store = await openScratchStore();
    await seedRegistry(store, 450, 0, 2);
    const change = { account_id: "acct-0" };
    await store.rows.updateTable("users").set(change).execute();
    await store.rows.updateTable("agents").set(change).execute();
    const registry = createRegistry(store);
    await registry.revokeUser("acct-0", "user-3");
    const { stopped } = await registry.revokeAccount("acct-0");
    expect(stopped).toEqual({ agents: 440, tasks: 880, tokens: 9 });
  });

  it("keeps its reason in the audit log, without credentials and on one line", async () => {
    await using tested = await TestedAuthority.start();
    const { registry } = tested.authority;
    const { id } = await tested.agent();
    const reason = `ticket 7\n\u202e Bearer ${await tested.token("human")}`;
    for (const change of ["revoke", "restore"]) {
      expect((await post(tested, `agents/${id}/${change}`, { reason })).status).toBe(200);
      expect((await post(tested, `users/${change}`, { ...KNOWN, reason })).status).toBe(200);
      const account = { account_id: "acct-1", reason };
      expect((await post(tested, `accounts/${change}`, account)).status).toBe(200);
    }
    const events = (await registry.listAuditEvents()).filter(({ action }) =>
      /^(agent|user|account)_(revoked|restored)$/.test(action),
    );
    expect(events).toHaveLength(6);
    for (const event of events) {
      expect(event.reason).toMatch(/^ticket 7\\u000a\\u202e Bearer /);
      expect(event.reason).not.toContain("cs_human_");
    }
  });

  it("is refused with a reason that is empty or too long, and without one where none is needed", async () => {
    await using tested = await TestedAuthority.start();
    const { registry } = tested.authority;
    const { id } = await tested.agent();
    for (const reason of ["", "x".repeat(513), 7]) {
      expectRefusal(await post(tested, `agents/${id}/revoke`, { reason }), 400, "invalid_request");
    }
    for (const reason of ["", "x".repeat(513)]) {
      await expectRejection(
        registry.revokeAgent(id, { reason }),
        AgentAuthorityError,
        "invalid_request",
      );
    }
    expectRefusal(await post(tested, `agents/${id}/revoke`, { more: 1 }), 400, "invalid_request");
    expect(await registry.getAgent(id)).toMatchObject({ state: "active" });
    for (const body of [undefined, {}, { reason: "x".repeat(512) }]) {
      expect((await post(tested, `agents/${id}/revoke`, body)).status).toBe(200);
    }
  });
});
