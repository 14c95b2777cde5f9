import { DatabaseSync } from "node:sqlite";
import { AgentKey } from "@countersign/agent-key";
import { CompiledQuery, Kysely, sql } from "kysely";
import { expect, it, onTestFinished } from "vitest";
import { databaseDirectory, databaseReplayStore, openStore } from "../src/index.js";
import type { AuthorityStore } from "../src/store/authority-store.js";
import type { Database } from "../src/store/database.js";
import { transactInGroups } from "../src/store/group-commit.js";
import { createPostgresDialect } from "../src/store/postgres-dialect.js";
import { requestPatience } from "../src/store/postgres-patience.js";
import { createSqliteDialect } from "../src/store/sqlite-dialect.js";
import { transactAlone } from "../src/store/transact.js";
import { type SeededAgent, seedRegistry } from "./bench/seed-registry.js";
import { agentBody, TestedAuthority, taskBody, taskPath } from "./start-authority.js";
import { createTestDatabase } from "./test-database.js";

const AGENTS = 300;
const REGISTER = "/v1/agent/register";

it("finds every row that a registration, a biscuit, a lookup or a nonce needs by an index", async () => {
  const database = await createTestDatabase();
  onTestFinished(() => database.drop());
  const agent = await seed(database.url);
  await using tested = await TestedAuthority.start({ database: database.url });
  const queries = tap(tested.store, database.url);
  await makeEveryRequest(tested, agent);

  const scans: string[] = [];
  for (const query of queries().values()) {
    for (const step of await scansOf(tested.store, query)) scans.push(`${step}: ${query.sql}`);
  }
  expect(scans).toEqual([]);
  const touched = [...queries().keys()].join("\n");
  for (const table of ["agents", "tasks", "audit_events", "biscuit_uses", "spent_nonces"]) {
    expect(touched).toContain(`"${table}"`);
  }
});

it("would find a row that is looked for without one", async () => {
  const database = await createTestDatabase();
  onTestFinished(() => database.drop());
  await seed(database.url);
  await using store = await openStore(database.url);
  for (const query of [
    store.rows.selectFrom("tasks").selectAll().where("revoked_at", "is", null).compile(),
    store.rows.selectFrom("agents").selectAll().where("created_at", "=", "x").compile(),
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

/** Records the queries of a store from this call on, each text once. */
function tap(store: AuthorityStore, url: string): () => ReadonlyMap<string, CompiledQuery> {
  const queries = new Map<string, CompiledQuery>();
  const dialect =
    store.kind === "sqlite"
      ? createSqliteDialect(new DatabaseSync(url.slice("sqlite:".length)))
      : createPostgresDialect(url, { maxConnections: 4, patience: requestPatience(url) });
  const rows = new Kysely<Database>({
    dialect,
    log({ query }) {
      if (/^(select|insert|update|delete|with)\b/.test(query.sql)) queries.set(query.sql, query);
    },
  });
  onTestFinished(() => rows.destroy());
  const transaction = store.kind === "sqlite" ? transactInGroups(rows) : transactAlone(rows);
  Object.assign(store, { rows, transaction });
  return () => new Map(queries);
}

/** The steps of a query's plan that read a table from its beginning to its end. */
function scansOf(store: AuthorityStore, query: CompiledQuery): Promise<readonly string[]> {
  return store.kind === "sqlite" ? scansOnSqlite(store, query) : scansOnPostgres(store, query);
}

async function scansOnSqlite({ rows }: AuthorityStore, query: CompiledQuery): Promise<string[]> {
  const plan = await rows.executeQuery<{ detail: string }>(
    CompiledQuery.raw(`explain query plan ${query.sql}`, [...query.parameters]),
  );
  return plan.rows.map(({ detail }) => detail).filter((step) => /^SCAN (?!CONSTANT)/.test(step));
}

// A table of few rows is read whole although it has an index. Where that is not allowed, only a query that finds no index does so, or goes
// through an index without a condition for it.
async function scansOnPostgres({ rows }: AuthorityStore, query: CompiledQuery): Promise<string[]> {
  return await rows.transaction().execute(async (transaction) => {
    await sql`set local enable_seqscan = off`.execute(transaction);
    const plan = await transaction.executeQuery<{ "QUERY PLAN": string }>(
      CompiledQuery.raw(`explain ${query.sql}`, [...query.parameters]),
    );
    const steps = plan.rows.map((row) => row["QUERY PLAN"]);
    return steps.filter(
      (step, index) =>
        /Seq Scan/.test(step) ||
        (/Index (Only )?Scan/.test(step) && !/Index Cond/.test(steps[index + 1] ?? "")),
    );
  });
}
