import { setImmediate as turn } from "node:timers/promises";
import { CompiledQuery, type KyselyPlugin, sql } from "kysely";
import { expect, it, onTestFinished } from "vitest";
import { openStore } from "../src/index.js";
import { createAdminFunctions } from "../src/registry/admin-functions.js";
import type { AuthorityStore } from "../src/store/authority-store.js";
import { seedRegistry } from "./bench/seed-registry.js";
import { tapQueries } from "./query-plan.js";
import { createTestDatabase } from "./test-database.js";

// More than one statement may look at.
const AGENTS = 30_000;
const MOST_ROWS = 20_100;
const SMALL = "acct-3";
const LARGE = "acct-large";
// Each is the beginning, the value or the address of something of every agent.
const SHARED = ["agent_", "task_", "thread-", "user-", "acct-", "main", "127.0.0.1"];

it("a search by what all have looks at a bounded number of rows in each statement, for a token of some accounts", async () => {
  const { store, url } = await seed();
  const queries = tapQueries(store, url);
  const runs = countRuns(store);
  for (const text of SHARED) {
    const before = runs();
    const found = await findWithin(store, SMALL, text);
    const all = [...found.agents, ...found.tasks, ...found.users, ...found.events];
    expect([...all, ...found.accounts].length, text).toBeGreaterThan(0);
    for (const { account_id } of all) expect(account_id).toBe(SMALL);
    expect(runs() - before, text).toBeLessThan(30);
  }
  // Which index a database chooses here differs, and may be that of the address.
  const ofEvents = [...queries().keys()].filter((text) =>
    /from "audit_events" where "account_id" in/.test(text),
  );
  expect(ofEvents).not.toEqual([]);
  for (const text of ofEvents) expect(text).toMatch(/"sequence" > .* and "sequence" <= /);
  if (store.kind !== "postgres") return;
  for (const query of queries().values()) {
    expect(await rowsLookedAt(store, query), query.sql).toBeLessThan(MOST_ROWS);
  }
});

it("a token of a large account finds its own behind those of all others, and lets others work between", async () => {
  const { store } = await seed();
  // Its agents and tasks are the oldest ones.
  const own = sql`agent_runtime_id < 'agent_00000011000'`;
  await sql`update agents set account_id = ${LARGE} where ${own}`.execute(store.rows);
  for (const text of ["agent_", "main"]) {
    let turns = 0;
    let isOver = false;
    const counting = (async () => {
      while (!isOver) {
        await turn();
        turns += 1;
      }
    })();
    const found = await findWithin(store, LARGE, text);
    isOver = true;
    await counting;
    expect(found).toMatchObject({ more: true, agents: { length: 5 } });
    expect(found.agents[0]?.agent_runtime_id).toMatch(/^agent_00000010999-/);
    // 19,000 others are passed over, 1,000 at once.
    expect(turns, text).toBeGreaterThan(15);
  }
  for (const text of ["task_", "thread-1"]) {
    const { tasks } = await findWithin(store, LARGE, text);
    expect(tasks).toHaveLength(5);
    for (const { account_id } of tasks) expect(account_id).toBe(LARGE);
  }
});

async function seed() {
  const database = await createTestDatabase();
  onTestFinished(() => database.drop());
  const store = await openStore(database.url);
  onTestFinished(() => store.close());
  await seedRegistry(store, AGENTS, 0, 1);
  await store.rows.transaction().execute(async (rows) => {
    await sql`update agents set claims = '{"ref":"main"}'`.execute(rows);
    await sql`insert into agent_claims (agent_runtime_id, value) select agent_runtime_id, 'main' from agents`.execute(
      rows,
    );
    await sql`insert into audit_events (at, action, account_id, agent_runtime_id, address)
      select created_at, 'whoami', account_id, agent_runtime_id, '127.0.0.1' from agents`.execute(
      rows,
    );
  });
  if (store.kind === "postgres") await sql`analyze`.execute(store.rows);
  return { store, url: database.url };
}

function findWithin(store: AuthorityStore, account: string, text: string) {
  const functions = createAdminFunctions(store, {
    now: store.now,
    identityPolicy: {
      isServed: false,
      agentTtlSeconds: undefined,
      limitsOf: () => expect.unreachable(),
    },
    origin: {},
    rights: { role: "read", scopes: [], accounts: [account] },
  });
  return functions.find({ text, limit: 5, among: "everything" });
}

function countRuns(store: AuthorityStore): () => number {
  let runs = 0;
  const counter: KyselyPlugin = {
    transformQuery({ node }) {
      runs += 1;
      return node;
    },
    transformResult: ({ result }) => Promise.resolve(result),
  };
  Object.assign(store, { rows: store.rows.withPlugin(counter) });
  return () => runs;
}

interface PlanNode {
  readonly "Actual Rows": number;
  readonly "Actual Loops": number;
  readonly "Rows Removed by Filter"?: number;
  readonly Plans?: readonly PlanNode[];
}

/** The most rows that a step of a query looks at. */
async function rowsLookedAt({ rows }: AuthorityStore, query: CompiledQuery): Promise<number> {
  const text = `explain (analyze, format json) ${query.sql}`;
  const plan = await rows.executeQuery<{ "QUERY PLAN": readonly [{ readonly Plan: PlanNode }] }>(
    CompiledQuery.raw(text, [...query.parameters]),
  );
  const most = (node: PlanNode): number => {
    const { "Rows Removed by Filter": removed = 0, Plans = [] } = node;
    const own = (node["Actual Rows"] + removed) * node["Actual Loops"];
    return Math.max(own, ...Plans.map(most));
  };
  return most(plan.rows[0]?.["QUERY PLAN"][0].Plan ?? expect.unreachable());
}
