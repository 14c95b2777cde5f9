import { AgentKey } from "@countersign/agent-key";
import { expect, it, onTestFinished } from "vitest";
import {
  type AuditFilter,
  createRegistry,
  databaseDirectory,
  databaseReplayStore,
  followAuditEvents,
  type HumanIssuer,
  openStore,
} from "../src/index.js";
import { type SeededAgent, seedRegistry } from "./bench/seed-registry.js";
import { allScans, scansOf, tapQueries } from "./query-plan.js";
import { agentBody, TestedAuthority, taskBody, taskPath } from "./start-authority.js";
import { createTestDatabase } from "./test-database.js";

const AGENTS = 300;
const REGISTER = "/v1/agent/register";

it("finds every row that a registration, a biscuit, a lookup, a nonce or a revocation needs by an index", async () => {
  const database = await createTestDatabase();
  onTestFinished(() => database.drop());
  const agent = await seed(database.url);
  const principal = { accountId: "acct-0", userId: "ci:7", actor: "oidc:ci" };
  const runs = ["1", "2"];
  const ci: HumanIssuer = {
    name: "ci",
    authenticate: async (token) =>
      runs.includes(token) ? { ...principal, claims: { run_id: token } } : undefined,
  };
  await using tested = await TestedAuthority.start({ database: database.url, humans: [ci] });
  const queries = tapQueries(tested.store, database.url);
  await makeEveryRequest(tested, agent);
  const key = AgentKey.generate();
  for (const token of runs) expect((await tested.registerAgent(token, key)).status).toBe(200);

  expect(await allScans(tested.store, queries())).toEqual([]);
  const touched = [...queries().keys()].join("\n");
  for (const table of [
    "agents",
    "agent_claims",
    "tasks",
    "audit_events",
    "biscuit_uses",
    "spent_nonces",
  ]) {
    expect(touched).toContain(`"${table}"`);
  }
});

it("finds the audit log's events, each portion of them, by an index, for every filter and from each end", async () => {
  const database = await createTestDatabase();
  onTestFinished(() => database.drop());
  await seed(database.url);
  await using store = await openStore(database.url);
  const queries = tapQueries(store, database.url);
  const registry = createRegistry(store);
  const [since, until] = ["2020-01-01T00:00:00Z", "2030-01-01T00:00:00Z"];
  const filters: AuditFilter[] = [
    {},
    { accountId: "acct-0" },
    { userId: "user-1" },
    { taskId: "task_x" },
    { agentRuntimeId: "agent_x" },
    { address: "203.0.113.9" },
    { actor: "operator" },
    { requestId: "request-1" },
    { action: "agent_revoked" },
    { only: "refusals" },
    { only: "changes" },
    { code: "forbidden" },
    { after: 10, before: 100 },
  ];
  for (const filter of filters) {
    for (const end of [{ limit: 10 }, { last: 10 }]) {
      await registry.listAuditEvents({ ...filter, ...end });
      await registry.listAuditEvents({ ...filter, ...end, since, until });
    }
  }
  const events = followAuditEvents(registry, { userId: "user-1" });
  await events.next();
  await events.return();
  expect(await allScans(store, queries())).toEqual([]);
  expect(queries().size).toBeGreaterThan(2 * filters.length);
});

it("would find a row that is looked for without one", async () => {
  const database = await createTestDatabase();
  onTestFinished(() => database.drop());
  await seed(database.url);
  await using store = await openStore(database.url);
  for (const query of [
    store.rows.selectFrom("tasks").selectAll().where("revoked_at", "is", null).compile(),
    store.rows.selectFrom("agents").selectAll().where("claimed_at", "=", "x").compile(),
  ]) {
    expect(await scansOf(store, query), query.sql).not.toEqual([]);
  }
});

async function seed(url: string): Promise<SeededAgent> {
  await using store = await openStore(url);
  const [agent] = await seedRegistry(store, AGENTS, 1);
  return agent ?? expect.unreachable();
}

async function makeEveryRequest(tested: TestedAuthority, agent: SeededAgent): Promise<void> {
  const call = async (path: string, headers: Record<string, string>, body?: object) => {
    const options = body === undefined ? { headers } : { headers, body };
    const answer = await tested.call(body === undefined ? "GET" : "POST", path, options);
    expect(answer.status, answer.text).toBe(200);
  };
  const token = await tested.token("human", agent.userId, "acct-0");
  const bearer = { authorization: `Bearer ${token}` };
  await call("/v1/whoami", bearer);
  const body = agentBody(AgentKey.generate());
  await call(REGISTER, bearer, body);
  await call(REGISTER, bearer, body);
  const byBiscuit = { "x-openai-authorization": await tested.biscuit(token, REGISTER) };
  await call(REGISTER, byBiscuit, agentBody(AgentKey.generate()));
  const task = taskBody(agent.id, agent.key, tested.clock.nowMs);
  for (const headers of [{}, { "idempotency-key": "k" }, { "idempotency-key": "k" }]) {
    await call(taskPath(agent.id), headers, task);
  }
  const [taskId = ""] = agent.taskIds;
  const resourceServer = { authorization: `Bearer ${await tested.token("resource_server")}` };
  await call(`/v1/agent/${agent.id}/task/${taskId}`, resourceServer);
  const { registry } = tested.authority;
  for (const userId of [agent.userId, "misspelt"]) {
    await registry.revokeUser("acct-0", userId).catch(() => {});
    await registry.revokeAccount(userId).catch(() => {});
  }
  await registry.restoreUser("acct-0", agent.userId);
  await registry.revokeAccount("acct-0");
  await registry.restoreAccount("acct-0");
  const directory = databaseDirectory(tested.store, tested.url);
  expect((await directory.agent(agent.id))?.state).toBe("active");
  expect((await directory.task(agent.id, taskId))?.state).toBe("active");
  await databaseReplayStore(tested.store).spend({
    authority: tested.url,
    agentRuntimeId: agent.id,
    nonce: "A".repeat(22),
    expiresAt: tested.clock.nowMs,
  });
}
