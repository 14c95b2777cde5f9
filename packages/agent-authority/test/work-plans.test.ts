import { AgentKey } from "@countersign/agent-key";
import { expect, it, onTestFinished } from "vitest";
import { createRegistry, databaseReplayStore, openStore } from "../src/index.js";
import { userSubject } from "../src/limits/limit-subject.js";
import { RateLimiter } from "../src/limits/rate-limiter.js";
import type { AdminFunctions } from "../src/operations/admin-operations.js";
import { createAdminFunctions } from "../src/registry/admin-functions.js";
import { noteUses } from "../src/registry/note-uses.js";
import { checkRegistryOptions } from "../src/registry/registry-options.js";
import { instantOf } from "../src/registry/times.js";
import type { AuthorityStore } from "../src/store/authority-store.js";
import { seedRegistry } from "./bench/seed-registry.js";
import { allScans, planOf, tapQueries } from "./query-plan.js";
import { agentBody, NOON, TestedAuthority, taskBody, taskPath } from "./start-authority.js";
import { createTestDatabase } from "./test-database.js";

const SINCE = "2026-04-15T12:00:00Z";
const USER = { account_id: "acct-0", user_id: "user-1" };

it("finds what operators list, look for, count, stop and restore by an index, for all accounts and for some", async () => {
  const { store, url } = await openSeeded();
  const queries = tapQueries(store, url);
  for (const accounts of [undefined, ["acct-0"], ["acct-0", "acct-1"]]) {
    const operator = operatorOf(store, accounts);
    await listEverything(operator);
    await stopInBatches(operator);
    await stopAndRestoreEach(operator);
  }
  expect(await allScans(store, queries())).toEqual([]);

  const reads = [...queries().values()].filter(({ sql }) => sql.startsWith("select"));
  const indexes = {
    '"role" = ': "access_tokens_role",
    'where "access_token_id" > $1 and "access_tokens"."user_id" = ': "access_tokens_user",
  };
  for (const [text, index] of Object.entries(indexes)) {
    const named = reads.filter(({ sql }) => sql.replaceAll("?", "$1").includes(text));
    expect(named.length, text).toBeGreaterThan(0);
    for (const query of named) {
      expect((await planOf(store, query)).join("\n"), query.sql).toContain(index);
    }
  }
});

it("finds what has ended, and is removed, by an index of the ends", async () => {
  const { store, url } = await openSeeded();
  await using tested = await TestedAuthority.start({ database: url });
  const queries = tapQueries(store, url);
  const beside = tapQueries(tested.store, url);
  const nonce = { authority: tested.url, agentRuntimeId: "agent_x", nonce: "A".repeat(22) };
  await databaseReplayStore(store).spend({ ...nonce, expiresAt: NOON });
  const limiter = new RateLimiter(store, { user: 10 }, () => NOON);
  await store.transaction((rows) => limiter.count(rows, userSubject("acct-0", "user-1")));
  await tested.biscuit(await tested.token(), "/v1/agent/register");

  const all = new Map([...queries(), ...beside()]);
  const removals = [...all.values()].filter(({ sql }) => sql.startsWith("delete"));
  const tables = ["spent_nonces", "rate_limits", "biscuits"];
  expect(removals).toHaveLength(tables.length);
  for (const [at, table] of tables.entries()) {
    const [removal = expect.unreachable()] = removals.slice(at);
    expect(removal.sql).toContain(`delete from "${table}"`);
    expect((await planOf(store, removal)).join("\n")).toContain(`${table}_expires_at`);
  }
  expect(await allScans(store, all)).toEqual([]);
});

it("counts what lives before one more is admitted, and notes what was used, by an index", async () => {
  const { store, url } = await openSeeded();
  await using tested = await TestedAuthority.start({ database: url });
  const queries = tapQueries(tested.store, url);
  const token = await tested.token("human", "user-1", "acct-0");
  const headers = { authorization: `Bearer ${token}` };
  const key = AgentKey.generate();
  const register = async (body: object) => {
    const answer = await tested.call("POST", "/v1/agent/register", { headers, body });
    expect(answer.status, answer.text).toBe(200);
    return String(answer.body.agent_runtime_id);
  };
  const id = await register(agentBody(key));
  await register({ ...agentBody(AgentKey.generate()), ephemeral: true, ttl_seconds: 60 });
  const body = taskBody(id, key, tested.clock.nowMs);
  expect((await tested.call("POST", taskPath(id), { body })).status).toBe(200);
  expect((await tested.call("GET", "/v1/whoami", { headers })).status).toBe(200);
  const [task = expect.unreachable()] = await createRegistry(store).listTasks({ limit: 1 });
  const { agentRuntimeId, taskId } = task;
  for (const accounts of [undefined, ["acct-0"]]) {
    const uses = [{ agentRuntimeId, taskId, secondsAgo: 1 }];
    await noteUses(
      tested.store,
      uses,
      { name: "x", accounts },
      instantOf(() => NOON),
    );
  }
  expect(await allScans(tested.store, queries())).toEqual([]);
  const counts = [...queries().values()].filter(({ sql }) => sql.includes("count(*)"));
  const indexes = ["agents_live_lasting", "agents_live_ephemeral", "tasks_live"];
  expect(counts).toHaveLength(indexes.length);
  for (const [at, index] of indexes.entries()) {
    const [count = expect.unreachable()] = counts.slice(at);
    expect((await planOf(tested.store, count)).join("\n"), count.sql).toContain(index);
  }
});

async function openSeeded() {
  const { url, drop } = await createTestDatabase();
  onTestFinished(drop);
  const store = await openStore(url, { now: () => NOON });
  onTestFinished(() => store.close());
  await seedRegistry(store, 3_000, 0, 10);
  return { store, url };
}

function operatorOf(store: AuthorityStore, accounts: readonly string[] | undefined) {
  return createAdminFunctions(store, {
    now: () => NOON,
    identityPolicy: checkRegistryOptions({}),
    origin: { actor: "operator" },
    rights: { role: "operate", scopes: ["tokens"], accounts },
  });
}

async function listEverything(operator: AdminFunctions): Promise<void> {
  const limit = 10;
  const tokens = [{}, { account_id: "acct-0" }, { user_id: "user-1" }, USER, { after: "token_0" }];
  for (const query of tokens) await operator.listAccessTokens({ ...query, limit });
  for (const role of ["read", "operate"] as const) await operator.listAccessTokens({ role, limit });
  for (const query of [{}, { account_id: "acct-0" }, { after: "acct-0,user-1" }]) {
    await operator.listUsers({ ...query, limit });
    await operator.listUsers({ ...query, limit, state: "revoked" });
  }
  for (const query of [{}, { state: "revoked" }, { after: "acct-0" }] as const) {
    await operator.listAccounts({ ...query, limit });
  }
  for (const sort of ["oldest", "newest", "used"] as const) {
    for (const query of [{}, USER, { account_id: "acct-0" }, { unused_since: SINCE }]) {
      await operator.listAgents({ ...query, sort, limit });
      await operator.listTasks({ ...query, sort, limit });
    }
  }
  for (const text of ["agent_0", "task_0", "token_0", "user-1", "127.0.0.1", "x", "thread-1"]) {
    await operator.find({ text, limit, among: "everything" });
  }
  const events = [USER, { actor: "operator" }, { agent_runtime_id: "agent_x" }, { since: SINCE }];
  for (const query of events) {
    await operator.listAuditEvents({ ...query, after: 0, limit });
    await operator.listAuditEvents({ ...query, after: 0, last: limit });
  }
}

/** As `agents revoke --user U --unused-since T` does it: page by page, each agent of a page, and the tasks in the same way. */
async function stopInBatches(operator: AdminFunctions): Promise<void> {
  const query = { user_id: "user-1", unused_since: SINCE, state: "active", limit: 2 } as const;
  const first = await operator.listAgents(query);
  expect(first.agents).toHaveLength(2);
  const next = await operator.listAgents({ ...query, after: first.next ?? "" });
  for (const { agent_runtime_id: id } of [...first.agents, ...next.agents]) {
    expect(await operator.revokeAgent({ id })).toMatchObject({ stopped: { agents: 1, tasks: 10 } });
    await operator.restoreAgent({ id });
  }
  const { tasks } = await operator.listTasks(query);
  for (const { task_id: id } of tasks) {
    await operator.revokeTask({ id });
    await operator.restoreTask({ id });
  }
}

async function stopAndRestoreEach(operator: AdminFunctions): Promise<void> {
  const unknown = { code: "invalid_request" };
  await operator.revokeUser(USER);
  await operator.restoreUser(USER);
  await expect(operator.revokeUser({ ...USER, user_id: "misspelt" })).rejects.toMatchObject(
    unknown,
  );
  await operator.revokeAccount({ account_id: "acct-0" });
  await operator.restoreAccount({ account_id: "acct-0" });
  await expect(operator.revokeAccount({ account_id: "misspelt" })).rejects.toThrow();
  const body = { ...USER, role: "read" as const, ttl_seconds: 60, accounts: ["acct-0"] };
  const { id } = await operator.createAccessToken(body);
  const rotated = await operator.rotateAccessToken({ id });
  await operator.revokeAccessToken({ id: rotated?.id ?? expect.unreachable() });
}
