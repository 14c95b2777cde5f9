import { AgentKey } from "@countersign/agent-key";
import { expectRejection } from "@countersign/testing/vitest";
import { describe, expect, it } from "vitest";
import { checkAuthorityOptions } from "../src/authority-options.js";
import { checkAgentRegistrationProof } from "../src/http/human-proof.js";
import { AgentAuthorityError, createRegistry, openStore, type Registry } from "../src/index.js";
import { instantOf } from "../src/registry/times.js";
import { expectRefusal } from "./expect-refusal.js";
import { runProgram } from "./run-process.js";
import { biscuitHeaders, openScratchStore, TestedAuthority } from "./start-authority.js";
import { createTestDatabase } from "./test-database.js";

const REGISTER = "/v1/agent/register";

async function actionsOf(registry: Registry): Promise<string[]> {
  const events = await registry.listAuditEvents();
  return events.map(({ action }) => action).filter((action) => /_(revoked|restored)$/.test(action));
}

async function stateOf(tested: TestedAuthority, agentRuntimeId: string): Promise<string> {
  return (await tested.call("GET", `/v1/agent/${agentRuntimeId}`)).body.agent_state;
}

describe("users and accounts", () => {
  it("are refused with ids that none has, and nothing is written", async () => {
    await using store = await openScratchStore();
    const registry = createRegistry(store);
    for (const id of ["", "a b", 'a"b', "é", "x".repeat(257)]) {
      for (const revoked of [
        registry.revokeAccount(id, { evenIfUnknown: true }),
        registry.revokeUser(id, "u", { evenIfUnknown: true }),
        registry.revokeUser("a", id, { evenIfUnknown: true }),
      ]) {
        await expectRejection(revoked, AgentAuthorityError, "invalid_request");
      }
    }
    expect(await registry.restoreAccount("acct-1")).toBeUndefined();
    expect(await registry.restoreUser("acct-1", "user-1")).toBeUndefined();
    expect(await registry.restoreAgent("agent-1")).toBeUndefined();
    expect(await registry.restoreTask("task-1")).toBeUndefined();
    expect(await registry.listAccounts()).toEqual([]);
    expect(await registry.listUsers()).toEqual([]);
    expect(await registry.listAuditEvents()).toEqual([]);
  });

  it("are told where their tokens are listed: a token that is good for nothing is not active", async () => {
    await using tested = await TestedAuthority.start();
    const { registry } = tested.authority;
    await tested.token("human", "user-1", "acct-1");
    await tested.token("read", "user-2", "acct-1");
    await tested.token("human", "user-1", "acct-2");
    const states = async () => (await registry.listAccessTokens()).map(({ state }) => state);
    await registry.revokeUser("acct-1", "user-1");
    expect(await states()).toEqual(["revoked", "active", "active"]);
    await registry.revokeAccount("acct-1");
    expect(await states()).toEqual(["revoked", "revoked", "active"]);
    await registry.restoreAccount("acct-1");
    await registry.restoreUser("acct-1", "user-1");
    expect(await states()).toEqual(["active", "active", "active"]);
  });

  it("stop with all that is theirs, and start again with what was not revoked by itself (G-A25)", async () => {
    await using tested = await TestedAuthority.start();
    const { registry } = tested.authority;
    const agent = await tested.agent();
    const ended = await tested.agent();
    const other = await tested.agent("user-2");
    const stranger = await tested.token("human", "user-1", "acct-2");
    const reader = await tested.token("resource_server");
    await tested.registerTask(agent.id, agent.key);
    await tested.registerTask(agent.id, agent.key);
    const [task, endedTask] = await registry.listTasks();
    await registry.revokeAgent(ended.id);
    await registry.revokeTask(endedTask?.taskId ?? "");

    for (const [revoke, restore] of [
      [
        () => registry.revokeUser("acct-1", "user-1"),
        () => registry.restoreUser("acct-1", "user-1"),
      ],
      [() => registry.revokeAccount("acct-1"), () => registry.restoreAccount("acct-1")],
    ] as const) {
      expect(await revoke()).toMatchObject({ state: "revoked", revokedAt: expect.any(String) });
      const headers = { authorization: `Bearer ${agent.token}` };
      expectRefusal(await tested.call("GET", "/v1/whoami", { headers }), 403, "forbidden");
      expectRefusal(
        await tested.call("GET", "/authenticate_app_v2", {
          headers: biscuitHeaders(agent.token, tested.url + REGISTER),
        }),
        403,
        "forbidden",
      );
      expectRefusal(await tested.registerAgent(agent.token, agent.key), 403, "forbidden");
      expectRefusal(
        await tested.call("GET", `/v1/agent/${agent.id}`, {
          headers: { authorization: `Bearer ${reader}` },
        }),
        403,
        "forbidden",
      );
      expectRefusal(await tested.registerTask(agent.id, agent.key), 401, "agent_revoked");
      expect(await stateOf(tested, agent.id)).toBe("revoked");
      expect(await registry.getAgent(agent.id)).toMatchObject({ state: "revoked" });
      expect(await registry.getTask(task?.taskId ?? "")).toMatchObject({ state: "revoked" });
      expect((await tested.registerAgent(stranger, AgentKey.generate())).status).toBe(200);

      const restored = await restore();
      expect(restored).toMatchObject({ state: "active" });
      expect(restored).not.toHaveProperty("revokedAt");
      expect((await tested.call("GET", "/v1/whoami", { headers })).status).toBe(200);
      expect((await tested.registerTask(agent.id, agent.key)).status).toBe(200);
      expect(await stateOf(tested, agent.id)).toBe("active");
      expect(await stateOf(tested, ended.id)).toBe("revoked");
      expect(await registry.getTask(task?.taskId ?? "")).toMatchObject({ state: "active" });
      expect(await registry.getTask(endedTask?.taskId ?? "")).toMatchObject({ state: "revoked" });
    }
    expect((await tested.registerTask(other.id, other.key)).status).toBe(200);
    expect(await actionsOf(registry)).toEqual([
      "agent_revoked",
      "task_revoked",
      "user_revoked",
      "user_restored",
      "account_revoked",
      "account_restored",
    ]);
    const events = await registry.listAuditEvents({ action: "user_revoked" });
    expect(events).toMatchObject([{ actor: "operator", accountId: "acct-1", userId: "user-1" }]);
  });

  it("stay stopped when only one of them is restored", async () => {
    await using tested = await TestedAuthority.start();
    const { registry } = tested.authority;
    const { id } = await tested.agent();
    await registry.revokeUser("acct-1", "user-1");
    await registry.revokeAccount("acct-1");
    await registry.revokeAgent(id);
    const agent = await registry.restoreAgent(id);
    expect(agent).toMatchObject({ state: "revoked" });
    expect(agent).not.toHaveProperty("revokedAt");
    expect(await registry.restoreUser("acct-1", "user-1")).toMatchObject({ state: "revoked" });
    expect(await stateOf(tested, id)).toBe("revoked");
    await registry.restoreAccount("acct-1");
    expect(await stateOf(tested, id)).toBe("active");
  });

  it("may be barred before they come", async () => {
    await using tested = await TestedAuthority.start();
    const { registry } = tested.authority;
    await registry.revokeUser("acct-1", "user-1", { evenIfUnknown: true });
    await registry.revokeAccount("acct-2", { evenIfUnknown: true });
    for (const [user, account] of [["user-1", "acct-1"] as const, ["user-9", "acct-2"] as const]) {
      const token = await tested.token("human", user, account);
      expectRefusal(await tested.registerAgent(token, AgentKey.generate()), 403, "forbidden");
    }
    const free = await tested.token("human", "user-2", "acct-1");
    expect((await tested.registerAgent(free, AgentKey.generate())).status).toBe(200);
    expect(await registry.listAccounts()).toMatchObject([
      { accountId: "acct-1", state: "active" },
      { accountId: "acct-2", state: "revoked" },
    ]);
  });

  it("leave a proof that was made before of no use: a biscuit is spent and refused", async () => {
    await using tested = await TestedAuthority.start();
    const token = await tested.token();
    const biscuit = await tested.biscuit(token, REGISTER);
    await tested.authority.registry.revokeUser("acct-1", "user-1");
    const key = AgentKey.generate();
    const headers = { "x-openai-authorization": biscuit };
    const body = {
      abom: { agent_version: "1", agent_harness_id: "h", running_location: "l" },
      agent_public_key: key.publicKey.line,
      capabilities: [],
    };
    expectRefusal(await tested.call("POST", REGISTER, { headers, body }), 403, "forbidden");
    expectRefusal(await tested.call("POST", REGISTER, { headers, body }), 401, "biscuit_invalid");
  });

  it("count as revoked in each state that races with a registration, from the answer on (G-A25)", async () => {
    await using database = await createTestDatabase();
    await using tested = await TestedAuthority.start({ database: database.url });
    await using store = await openStore(database.url, { now: () => tested.clock.nowMs });
    const registry = createRegistry(store);
    const token = await tested.token();
    const keys = Array.from({ length: 12 }, () => AgentKey.generate());
    const registrations = keys.map((key) => tested.registerAgent(token, key));
    const [revoked] = await Promise.all([
      registry.revokeUser("acct-1", "user-1"),
      ...registrations,
    ]);
    expect(revoked.state).toBe("revoked");
    for (const [index, key] of keys.entries()) {
      const answer = await registrations[index];
      if (answer?.status === 200) {
        const id = answer.body.agent_runtime_id;
        expectRefusal(await tested.registerTask(id, key), 401, "agent_revoked");
      } else if (answer) expectRefusal(answer, 403, "forbidden");
      expectRefusal(await tested.registerAgent(token, key), 403, "forbidden");
    }
    expect(await registry.listAgents({ state: "active" })).toEqual([]);
  });
});

describe("an agent", () => {
  it("is not registered again by its human once revoked, but by its operator's word (G-A27)", async () => {
    await using tested = await TestedAuthority.start();
    const { registry } = tested.authority;
    const { id, key, token } = await tested.agent();
    await tested.registerTask(id, key);
    await registry.revokeAgent(id);
    expectRefusal(await tested.registerAgent(token, key), 401, "agent_revoked");
    const restored = await registry.restoreAgent(id);
    expect(restored).toMatchObject({ state: "active", proven: true });
    expect(restored).not.toHaveProperty("revokedAt");
    expect(await registry.restoreAgent(id)).toEqual(restored);
    expect((await tested.registerTask(id, key)).status).toBe(200);
    expect((await tested.registerAgent(token, key)).body.agent_runtime_id).toBe(id);
    expect(await actionsOf(registry)).toEqual(["agent_revoked", "agent_restored"]);
  });

  it("is restored whatever the limit says, and counts again", async () => {
    await using tested = await TestedAuthority.start({ maxLiveAgents: 1 });
    const { registry } = tested.authority;
    const first = await tested.agent();
    await registry.revokeAgent(first.id);
    const second = await tested.agent();
    expect(await registry.restoreAgent(first.id)).toMatchObject({ state: "active" });
    expect((await tested.registerTask(first.id, first.key)).status).toBe(200);
    await registry.revokeAgent(second.id);
    const answer = await tested.registerAgent(first.token, AgentKey.generate());
    expectRefusal(answer, 403, "agent_limit");
  });

  it("that is unproven has a day from its restoration on", async () => {
    await using tested = await TestedAuthority.start();
    const { registry } = tested.authority;
    const { id, key } = await tested.agent();
    await registry.revokeAgent(id);
    tested.clock.nowMs += 48 * 3_600_000;
    expect(await registry.restoreAgent(id)).toMatchObject({ state: "active", proven: false });
    expect((await tested.registerTask(id, key)).status).toBe(200);
  });
});

describe("a task", () => {
  it("is restored, and answers for its Idempotency-Key again", async () => {
    await using tested = await TestedAuthority.start();
    const { registry } = tested.authority;
    const { id, key } = await tested.agent();
    const headers = { "idempotency-key": "thread-1" };
    await tested.registerTask(id, key, headers);
    const [task] = await registry.listTasks();
    const taskId = task?.taskId ?? "";
    await registry.revokeTask(taskId);
    const restored = await registry.restoreTask(taskId);
    expect(restored).toMatchObject({ state: "active" });
    expect(restored).not.toHaveProperty("revokedAt");
    expect(await registry.restoreTask(taskId)).toEqual(restored);
    await tested.registerTask(id, key, headers);
    expect(await registry.listTasks()).toHaveLength(1);
    expect(await actionsOf(registry)).toEqual(["task_revoked", "task_restored"]);
  });
});

describe("an access token", () => {
  it("that is revoked after it was looked at is refused in the transaction it is used in (G-A26)", async () => {
    await using tested = await TestedAuthority.start();
    const { registry } = tested.authority;
    const context = checkAuthorityOptions({ store: tested.store });
    const instant = instantOf(context.now);
    const refused = async (
      headers: Record<string, string[]>,
      code: "unauthenticated" | "biscuit_invalid",
    ) => {
      const proof = await checkAgentRegistrationProof(context, headers, REGISTER, instant);
      const [token] = (await registry.listAccessTokens()).filter(({ state }) => state === "active");
      await registry.revokeAccessToken(token?.id ?? "");
      const spent = tested.store.transaction((rows) => proof.spend(rows));
      await expectRejection(spent, AgentAuthorityError, code);
    };
    await refused({ authorization: [`Bearer ${await tested.token()}`] }, "unauthenticated");
    const biscuit = await tested.biscuit(await tested.token(), REGISTER);
    await refused({ "x-openai-authorization": [biscuit] }, "biscuit_invalid");
  });
});

it("processes that revoke the same at once write one event", async () => {
  await using database = await createTestDatabase();
  await using store = await openStore(database.url);
  const registry = createRegistry(store);
  const { id } = await registry.createAccessToken({
    accountId: "acct-1",
    userId: "user-1",
    role: "human",
    ttlSeconds: 3_600,
  });
  await Promise.all(
    Array.from({ length: 3 }, () => runProgram("operator", database.url, "revoke-all", id)),
  );
  expect((await actionsOf(registry)).sort()).toEqual([
    "access_token_revoked",
    "account_revoked",
    "user_revoked",
  ]);
});
