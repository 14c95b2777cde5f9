import { randomUUID } from "node:crypto";
import { Client } from "pg";
import { onTestFinished } from "vitest";

/** The PostgreSQL server of the tests: that of `DATABASE_URL`, else the one of this machine. */
export const POSTGRES_URL = process.env.DATABASE_URL ?? "postgres://postgres@127.0.0.1:5432/test";

/** Returns whether the server answers. */
export async function postgresAnswers(): Promise<boolean> {
  const client = new Client({ connectionString: POSTGRES_URL, connectionTimeoutMillis: 60_000 });
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

/** Makes a schema that goes with the test, and gives the URL of a database whose tables stand in it. */
export async function createPostgresSchema(): Promise<string> {
  const schema = `countersign_test_${randomUUID().replaceAll("-", "")}`;
  await query(POSTGRES_URL, `create schema ${schema}`);
  onTestFinished(async () => {
    await query(POSTGRES_URL, `drop schema if exists ${schema} cascade`);
  });
  const url = new URL(POSTGRES_URL);
  url.searchParams.set("options", `-c search_path=${schema}`);
  return url.href;
}

/** Runs one statement with a connection of its own. */
export async function query<T>(url: string, statement: string): Promise<T[]> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query(statement)).rows;
  } finally {
    await client.end();
  }
}
