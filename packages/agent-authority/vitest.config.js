import { Client } from "pg";
import { defineConfig } from "vitest/config";

// The whole suite runs twice, on SQLite and on PostgreSQL: the server of DATABASE_URL, else the one of this machine.
const postgresUrl = process.env.DATABASE_URL ?? "postgres://postgres@127.0.0.1:5432/test";

const suite = (name, test) => ({
  test: { name, include: ["src/**/*.test.ts", "test/**/*.test.ts"], ...test },
});

export default defineConfig({
  test: {
    projects: [
      suite("sqlite", {
        exclude: ["**/*.postgres.test.ts"],
        provide: { databaseKind: "sqlite", postgresUrl },
      }),
      (await answers(postgresUrl))
        ? suite("postgres", {
            exclude: ["**/*.sqlite.test.ts"],
            provide: { databaseKind: "postgres", postgresUrl },
          })
        : // Says that it is skipped, and why.
          suite("postgres", { include: ["test/no-postgres.ts"], provide: { postgresUrl } }),
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
