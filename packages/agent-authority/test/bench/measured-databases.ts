import { randomUUID } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Client } from "pg";

/** An empty database of a measurement's own, on disk. */
export interface MeasuredDatabase extends AsyncDisposable {
  readonly url: string;
}

/** A kind of database that is measured, and how an empty one is made. */
export interface DatabaseKind {
  readonly name: "SQLite" | "PostgreSQL";
  create(): Promise<MeasuredDatabase>;
}

const SERVER = process.env.DATABASE_URL ?? "postgres://postgres@127.0.0.1:5432/test";

/** The kinds that there are here: PostgreSQL where a server answers, at `DATABASE_URL` or on this machine; else says that it is left out. */
export async function databaseKinds(): Promise<readonly DatabaseKind[]> {
  const sqlite: DatabaseKind = { name: "SQLite", create: createFile };
  try {
    await run("select 1");
  } catch (error) {
    console.log(`PostgreSQL is left out: ${error instanceof Error ? error.message : error}`);
    return [sqlite];
  }
  return [sqlite, { name: "PostgreSQL", create: createSchema }];
}

async function createFile(): Promise<MeasuredDatabase> {
  const folder = await mkdtemp(join(tmpdir(), "countersign-bench-"));
  return {
    url: `sqlite:${join(folder, "authority.db")}`,
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }),
  };
}

async function createSchema(): Promise<MeasuredDatabase> {
  const schema = `countersign_bench_${randomUUID().replaceAll("-", "")}`;
  await run(`create schema ${schema}`);
  const url = new URL(SERVER);
  url.searchParams.set("options", `-c search_path=${schema}`);
  return {
    url: url.href,
    [Symbol.asyncDispose]: () => run(`drop schema if exists ${schema} cascade`),
  };
}

async function run(statement: string): Promise<void> {
  const client = new Client({ connectionString: SERVER, connectionTimeoutMillis: 5_000 });
  client.on("error", () => {});
  await client.connect();
  try {
    await client.query(statement);
  } finally {
    await client.end();
  }
}
