import { randomUUID } from "node:crypto";
import { Client } from "pg";
import { onTestFinished } from "vitest";

/** Where the server for tests is: that of `DATABASE_URL`, else the one of this machine. */
export const SERVER = process.env.DATABASE_URL ?? "postgres://postgres@127.0.0.1:5432/test";

/** Whether that server answers; says so where it does not, and its tests are then skipped. */
export async function postgresAnswers(): Promise<boolean> {
  try {
    await runOn(SERVER, "select 1");
    return true;
  } catch {
    const { host } = new URL(SERVER);
    console.warn(`skipped, as no PostgreSQL answers at ${host} (set DATABASE_URL)`);
    return false;
  }
}

/** Makes a database on the server, which is gone when the test is over. */
export async function createDatabase(): Promise<string> {
  const name = `countersign_test_${randomUUID().replaceAll("-", "")}`;
  await runOn(SERVER, `create database ${name}`);
  onTestFinished(() =>
    runOn(SERVER, `drop database if exists ${name} with (force)`).then(() => {}),
  );
  const url = new URL(SERVER);
  url.pathname = `/${name}`;
  return url.href;
}

/** Runs a statement with a connection of its own and gives the rows. */
export async function runOn(url: string, statement: string): Promise<readonly unknown[]> {
  const client = new Client({ connectionString: url, connectionTimeoutMillis: 60_000 });
  await client.connect();
  try {
    return (await client.query(statement)).rows;
  } finally {
    await client.end();
  }
}
