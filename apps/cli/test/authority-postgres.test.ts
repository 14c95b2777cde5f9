import { join } from "node:path";
import { createRegistry, openStore } from "@countersign/agent-authority";
import { runProcess } from "@countersign/testing";
import { Client } from "pg";
import { beforeEach, describe, expect, onTestFinished, test } from "vitest";
import { countersign, expectError, json, output } from "./command-line.js";
import { FEATURE_ON } from "./fresh-home.js";
import { createDatabase, postgresAnswers } from "./postgres.js";
import { type ServerWorld, serverWorld } from "./servers.js";

const ON_DATABASE = ["--database", "env:TEST_DATABASE_URL"];
const TOKEN_CREATE = ["authority", "token", "create", "--account", "acct-1", "--user", "user-1"];
const isThere = await postgresAnswers();
const tools = await Promise.all(
  ["pg_dump", "pg_restore"].map((tool) =>
    runProcess(tool, ["--version"]).then(
      ({ code }) => code === 0,
      () => false,
    ),
  ),
);
const canDump = isThere && tools.every(Boolean);
if (isThere && !canDump) console.warn("skipped: restoring a backup (no pg_dump and pg_restore)");

let world: ServerWorld;

beforeEach(async () => {
  world = await serverWorld();
});

function variables(database: string): Record<string, string> {
  return { TEST_DATABASE_URL: database, ...FEATURE_ON };
}

function serve(database: string, listen = "127.0.0.1:0") {
  const args = ["authority", "serve", "--listen", listen, ...ON_DATABASE];
  return world.start(args, variables(database));
}

/** Locks a table, so that its readers wait. Returns a function that releases the lock. */
async function holdTable(database: string, table: string): Promise<() => Promise<void>> {
  const client = new Client({ connectionString: database });
  client.on("error", () => {});
  await client.connect();
  onTestFinished(() => client.end());
  await client.query("begin");
  await client.query(`lock table ${table} in access exclusive mode`);
  return async () => void (await client.query("rollback"));
}

/** Waits until another connection waits for a lock. */
async function someoneWaits(database: string): Promise<void> {
  const client = new Client({ connectionString: database });
  await client.connect();
  const count = `select count(*)::int as waiting from pg_locks
    where not granted and database = (select oid from pg_database where datname = current_database())`;
  await expect.poll(async () => (await client.query(count)).rows[0].waiting).toBeGreaterThan(0);
  await client.end();
}

/** A database with an authority on it that has a request which waits. */
async function waitingRequest() {
  const database = await createDatabase();
  const { process, url } = await serve(database);
  const env = variables(database);
  const token = await output([...TOKEN_CREATE, ...ON_DATABASE], { home: world.home, env });
  const release = await holdTable(database, "access_tokens");
  const headers = { authorization: `Bearer ${token.trim()}` };
  const answer = fetch(`${url}/v1/whoami`, { headers });
  answer.catch(() => {});
  await someoneWaits(database);
  return { process, release, answer };
}

describe.skipIf(!isThere)("an authority on PostgreSQL", () => {
  test("rejects a database that is not there, without its password", async () => {
    const url = new URL(await createDatabase());
    url.pathname = "/countersign_not_there";
    url.password = "s3cr3t";
    const result = await countersign(["authority", "serve", "--listen", "127.0.0.1:0"], {
      home: world.home,
      env: { COUNTERSIGN_DATABASE_URL: url.href },
    });
    expect(result.code).not.toBe(0);
    expect(result.stderr).not.toContain("s3cr3t");
  });

  test("has no backup but that of PostgreSQL", async () => {
    const args = ["authority", "backup", join(world.folder.path, "out"), ...ON_DATABASE];
    const env = variables(await createDatabase());
    const result = await countersign(args, { home: world.home, env });
    expectError(result, "config_invalid", 2);
    expect(result.stderr).toContain("pg_dump");
  });

  test("answers what is open when it is asked to end, and ends with 0", async () => {
    const { process, release, answer } = await waitingRequest();
    process.kill("SIGTERM");
    await process.waitForLine(/ending what is open/);
    await release();
    expect((await answer).status).toBe(200);
    expect((await process.exited).code).toBe(0);
  });

  test("ends at once when it is asked a second time", async () => {
    const { process, answer } = await waitingRequest();
    process.kill("SIGTERM");
    await process.waitForLine(/ending what is open/);
    process.kill("SIGTERM");
    // While the table is still held.
    expect((await process.exited).code).toBe(1);
    await expect(answer).rejects.toThrow();
  });
});

describe.skipIf(!canDump)("a backup of PostgreSQL", () => {
  test("is restored into another database, on which everything goes on: agents, tasks, revocations, the audit log", async () => {
    const { home } = world;
    const original = await createDatabase();
    const env = variables(original);
    const first = await serve(original);
    const token = await output([...TOKEN_CREATE, ...ON_DATABASE], { home, env });
    const login = ["login", "--authority", first.url, "--token-stdin"];
    await output(login, { home, env, input: token });
    const task = await json(["task", "ensure", "--thread", "kept"], { home, env });
    const revoked = await json(["task", "ensure", "--thread", "revoked"], { home, env });
    await output(["authority", "tasks", "revoke", revoked.task_id, ...ON_DATABASE], { home, env });

    const restored = await createDatabase();
    const file = join(world.folder.path, "authority.dump");
    await run("pg_dump", ["--format=custom", "--file", file], original);
    await run("pg_restore", ["--no-owner", "--exit-on-error", "--dbname"], restored, [file]);
    first.process.kill("SIGTERM");
    await first.process.exited;

    // In its old place: the same home continues with it.
    await serve(restored, new URL(first.url).host);
    const environment = { home, env: variables(restored) };
    expect(
      await json(["authority", "tasks", "show", task.task_id, ...ON_DATABASE], environment),
    ).toMatchObject({ task_id: task.task_id, state: "active" });
    expect(
      await json(["authority", "tasks", "show", revoked.task_id, ...ON_DATABASE], environment),
    ).toMatchObject({ state: "revoked" });
    const header = await output(["header", "--thread", "kept"], environment);
    const verify = ["verify", "--authority", first.url];
    await output(verify, { ...environment, input: header });
    const added = await json(["task", "ensure", "--thread", "new"], environment);
    expect(added.task_id).not.toBe(task.task_id);

    // What reads the audit log goes on where it was: no number is used twice.
    const before = await auditEvents(original);
    const after = await auditEvents(restored);
    expect(after.slice(0, before.length)).toEqual(before);
    const since = await auditEvents(restored, before.at(-1)?.sequence);
    expect(since).toEqual(after.slice(before.length));
    expect(since.map(({ taskId }) => taskId)).toContain(added.task_id);
    const client = new Client({ connectionString: restored });
    await client.connect();
    onTestFinished(() => client.end());
    for (const statement of [
      "delete from audit_events",
      "update audit_events set action = 'other'",
      "truncate audit_events",
    ]) {
      await expect(client.query(statement)).rejects.toThrow("append-only");
    }
  });
});

async function auditEvents(database: string, after?: number) {
  await using store = await openStore(database);
  return await createRegistry(store).listAuditEvents({ after });
}

/** Runs a tool of PostgreSQL on a database; a password goes by the environment. */
async function run(
  tool: string,
  args: readonly string[],
  database: string,
  operands: readonly string[] = [],
): Promise<void> {
  const url = new URL(database);
  const env = url.password === "" ? {} : { PGPASSWORD: decodeURIComponent(url.password) };
  url.password = "";
  const result = await runProcess(tool, [...args, url.href, ...operands], { env });
  expect(result, result.stderr).toMatchObject({ code: 0 });
}
