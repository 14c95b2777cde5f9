import { randomUUID } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Client } from "pg";
import { inject } from "vitest";

/** A database of one test's own. */
export interface TestDatabase extends AsyncDisposable {
  /** What `openStore` takes, in any process. */
  readonly url: string;
  /** Removes it. */
  drop(): Promise<void>;
}

/** Whether this run of the suite is on SQLite or on PostgreSQL. */
export const databaseKind = inject("databaseKind");

/** Makes an empty database of the kind that this run is about: a file, or a schema of the server. */
export function createTestDatabase(): Promise<TestDatabase> {
  return databaseKind === "postgres" ? createSchema() : createFile();
}

async function createFile(): Promise<TestDatabase> {
  const folder = await mkdtemp(join(tmpdir(), "countersign-authority-"));
  return disposable(`sqlite:${join(folder, "authority.db")}`, () =>
    rm(folder, { recursive: true, force: true }),
  );
}

async function createSchema(): Promise<TestDatabase> {
  const server = inject("postgresUrl");
  const schema = `countersign_test_${randomUUID().replaceAll("-", "")}`;
  await run(server, `create schema ${schema}`);
  const url = new URL(server);
  url.searchParams.set("options", `-c search_path=${schema}`);
  return disposable(url.href, () => run(server, `drop schema if exists ${schema} cascade`));
}

/** Runs statements on the server, with a connection of their own. */
export async function run(url: string, statement: string): Promise<void> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(statement);
  } finally {
    await client.end();
  }
}

function disposable(url: string, drop: () => Promise<void>): TestDatabase {
  return { url, drop, [Symbol.asyncDispose]: drop };
}
