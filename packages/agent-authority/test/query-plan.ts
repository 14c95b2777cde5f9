import { DatabaseSync } from "node:sqlite";
import { CompiledQuery, Kysely, sql } from "kysely";
import { onTestFinished } from "vitest";
import type { AuthorityStore } from "../src/store/authority-store.js";
import type { Database } from "../src/store/database.js";
import { transactInGroups } from "../src/store/group-commit.js";
import { createPostgresDialect } from "../src/store/postgres-dialect.js";
import { requestPatience } from "../src/store/postgres-patience.js";
import { createSqliteDialect } from "../src/store/sqlite-dialect.js";
import { transactAlone } from "../src/store/transact.js";

/** Records the queries of a store from this call on, each text once. */
export function tapQueries(
  store: AuthorityStore,
  url: string,
): () => ReadonlyMap<string, CompiledQuery> {
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

/** What {@link scansOf} finds in the plans of all of these, each with its query. */
export async function allScans(
  store: AuthorityStore,
  queries: ReadonlyMap<string, CompiledQuery>,
): Promise<readonly string[]> {
  const scans: string[] = [];
  for (const query of queries.values()) {
    for (const step of await scansOf(store, query)) scans.push(`${step}: ${query.sql}`);
  }
  return scans;
}

/** The steps of a query's plan that read a table from its beginning to its end. */
export async function scansOf(
  store: AuthorityStore,
  query: CompiledQuery,
): Promise<readonly string[]> {
  const steps = await planOf(store, query);
  if (store.kind === "sqlite") return steps.filter((step) => /^SCAN (?!CONSTANT)/.test(step));
  return steps.filter(
    (step, index) =>
      /Seq Scan/.test(step) ||
      (/Index (Only )?Scan/.test(step) && !/Index Cond/.test(steps[index + 1] ?? "")),
  );
}

/** The steps of a query's plan. */
export function planOf(store: AuthorityStore, query: CompiledQuery): Promise<readonly string[]> {
  return store.kind === "sqlite" ? planOnSqlite(store, query) : planOnPostgres(store, query);
}

async function planOnSqlite({ rows }: AuthorityStore, query: CompiledQuery): Promise<string[]> {
  const plan = await rows.executeQuery<{ detail: string }>(
    CompiledQuery.raw(`explain query plan ${query.sql}`, [...query.parameters]),
  );
  return plan.rows.map(({ detail }) => detail);
}

// A table of few rows is read or joined whole although it has an index. Where that is not allowed, only a query that finds no index does so, or goes
// through an index without a condition for it.
async function planOnPostgres({ rows }: AuthorityStore, query: CompiledQuery): Promise<string[]> {
  return await rows.transaction().execute(async (transaction) => {
    for (const step of ["seqscan", "hashjoin", "mergejoin"]) {
      await sql`set local ${sql.id(`enable_${step}`)} = off`.execute(transaction);
    }
    const plan = await transaction.executeQuery<{ "QUERY PLAN": string }>(
      CompiledQuery.raw(`explain ${query.sql}`, [...query.parameters]),
    );
    return plan.rows.map((row) => row["QUERY PLAN"]);
  });
}
