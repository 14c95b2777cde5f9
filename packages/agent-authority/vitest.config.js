import { effort } from "@countersign/testing/effort";
import { COMMON, SYSTEM, UNIT } from "@countersign/testing/vitest-config";
import { Client } from "pg";
import { defineConfig } from "vitest/config";

// The whole suite runs on SQLite (`unit` and `system`). On PostgreSQL, the server of DATABASE_URL or else the one of this machine, it runs whole
// in the full effort; in the quick one, only the tests whose outcome depends on the database.
const postgresUrl = process.env.DATABASE_URL ?? "postgres://postgres@127.0.0.1:5432/test";

const onSqlite = {
  exclude: ["**/*.postgres.test.ts"],
  provide: { databaseKind: "sqlite", postgresUrl },
};
const dependOnDatabase = [
  "{src,test}/**/*.postgres.test.ts",
  "test/{agent-registration,audit-filters,audit-log,ci-fleet,find,find-within,fleet,key-rotation}.test.ts",
  "test/{kept-claims,kill-rounds,last-use,list-filters,lists,operators-upgrade}.test.ts",
  "test/{query-plans,work-plans,rate-limits,refused-together,replay-store,revocation,roles,task-registration}.test.ts",
  "test/{account-scope,store-status,task-use,token-rotation,token-use,two-processes}.test.ts",
];
const onPostgres = {
  setupFiles: UNIT.setupFiles,
  include: effort === "full" ? [...UNIT.include, ...SYSTEM.include] : dependOnDatabase,
  exclude: ["**/*.sqlite.test.ts"],
  provide: { databaseKind: "postgres", postgresUrl },
};
// Says that it is skipped, and why.
const withoutPostgres = { include: ["test/no-postgres.ts"], provide: { postgresUrl } };

export default defineConfig({
  test: {
    projects: [
      { test: { ...UNIT, ...onSqlite } },
      { test: { ...SYSTEM, ...onSqlite } },
      {
        test: {
          ...COMMON,
          name: "postgres",
          ...((await answers(postgresUrl)) ? onPostgres : withoutPostgres),
        },
      },
    ],
  },
});

async function answers(connectionString) {
  const client = new Client({ connectionString, connectionTimeoutMillis: 5_000 });
  client.on("error", () => {});
  try {
    await client.connect();
    await client.query("select 1");
    return true;
  } catch {
    return false;
  } finally {
    await client.end().catch(() => {});
  }
}
