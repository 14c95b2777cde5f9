import { randomUUID } from "node:crypto";
import { AgentKey } from "@countersign/agent-key";
import { sql } from "kysely";
import { Client } from "pg";
import { describe, expect, inject, it, onTestFinished } from "vitest";
import { AgentAuthorityError, openStore } from "../src/index.js";
import { migrationPatience, requestPatience } from "../src/store/postgres-patience.js";
import { expectRefusal } from "./expect-refusal.js";
import { startSilentNetwork } from "./silent-network.js";
import { TestedAuthority } from "./start-authority.js";
import { run } from "./test-database.js";

const MIGRATION_LOCK = "3853314791062309107";
const PASSING = { retryable: true, hint: expect.stringContaining("again") };

/** A database of the server: the lock of migrations is one for all schemas of a database, so others of the suite would hold these up. */
async function createDatabase(): Promise<string> {
  const server = inject("postgresUrl");
  const name = `countersign_test_${randomUUID().replaceAll("-", "")}`;
  await run(server, `create database ${name}`);
  onTestFinished(() => run(server, `drop database ${name} with (force)`));
  const url = new URL(server);
  url.pathname = `/${name}`;
  return url.href;
}

function withParameters(url: string, parameters: Readonly<Record<string, string>>): string {
  const parts = new URL(url);
  for (const [name, value] of Object.entries(parameters)) parts.searchParams.set(name, value);
  return parts.href;
}

/** A session of another program, which holds what the statements have taken until the test ends. */
async function holdWith(url: string, ...statements: readonly string[]): Promise<void> {
  const client = new Client({ connectionString: url });
  await client.connect();
  onTestFinished(() => client.end());
  for (const statement of statements) await client.query(statement);
}

async function failureOf(opening: Promise<unknown>): Promise<AgentAuthorityError> {
  const error = await opening.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!AgentAuthorityError.is(error)) throw new Error(`no AgentAuthorityError: ${error}`);
  return error;
}

describe("a statement's answer is waited for as long as the server may take, and 5 s", () => {
  it.each([
    [{}, 35_000, 15 * 60_000 + 5_000],
    [{ statement_timeout: "2000" }, 7_000, 7_000],
    [{ statement_timeout: "2min" }, 125_000, 125_000],
    [{ statement_timeout: "1.5 s" }, 6_500, 6_500],
    [{ statement_timeout: "1d" }, 86_405_000, 86_405_000],
    [{ statement_timeout: "900h" }, 2_147_483_647, 2_147_483_647],
    [{ statement_timeout: "0" }, undefined, undefined],
  ])("with the URL's %j", (parameters, ofRequests, ofMigrations) => {
    const url = withParameters("postgres://u@h/d", parameters);
    expect(requestPatience(url).answerMs).toBe(ofRequests);
    expect(migrationPatience(url).answerMs).toBe(ofMigrations);
  });
});

it("the URL's time-outs are those of each session, with PostgreSQL's units", async () => {
  const timeouts = {
    lock_timeout: "2s",
    statement_timeout: "3min",
    idle_in_transaction_session_timeout: "4500ms",
  };
  await using store = await openStore(withParameters(await createDatabase(), timeouts));
  const settings = sql<typeof timeouts>`select current_setting('lock_timeout') as lock_timeout,
    current_setting('statement_timeout') as statement_timeout,
    current_setting('idle_in_transaction_session_timeout') as idle_in_transaction_session_timeout`;
  expect((await settings.execute(store.rows)).rows).toEqual([timeouts]);
});

it.each(["soon", "-1", "1'; select 1 / 0; --"])(
  "a time-out that PostgreSQL refuses is config_invalid: %s",
  async (text) => {
    const url = withParameters(await createDatabase(), { lock_timeout: text });
    const error = await failureOf(openStore(url));
    expect(error).toMatchObject({ code: "config_invalid", retryable: false });
    expect(error.message).toContain('"lock_timeout"');
  },
);

describe("behind a network that drops everything without a word", () => {
  it("requests are answered 503 with Retry-After, and go on once it is back", async () => {
    const network = await startSilentNetwork(await createDatabase());
    const database = withParameters(network.url, { statement_timeout: "500ms" });
    await using tested = await TestedAuthority.start({ database });
    const token = await tested.token();
    network.silence();
    // One after the other within a transaction, a single statement, and those of connections that are not made yet.
    const asked = [
      tested.registerAgent(token, AgentKey.generate()),
      ...Array.from({ length: 3 }, () =>
        tested.call("GET", "/v1/whoami", { headers: { authorization: `Bearer ${token}` } }),
      ),
    ];
    for (const answer of await Promise.all(asked)) {
      expectRefusal(answer, 503, "server_error");
      expect(answer.headers["retry-after"]).toBe("1");
    }
    network.restore();
    expect((await tested.registerAgent(token, AgentKey.generate())).status).toBe(200);
  });

  it.each(["current_schema", "pg_advisory_xact_lock", "create table"])(
    "openStore rejects as unreachable where it goes silent before %s",
    async (text) => {
      const network = await startSilentNetwork(await createDatabase());
      network.silenceAt(text);
      const opening = openStore(withParameters(network.url, { statement_timeout: "500ms" }));
      expect(await failureOf(opening)).toMatchObject({ code: "unreachable", retryable: true });
    },
  );
});

describe("a migration", () => {
  it("waits for another one for 60 s, and for a lock of a table for 5 s", async () => {
    const network = await startSilentNetwork(await createDatabase());
    await (await openStore(network.url)).close();
    const [before = "", after = ""] = network.sent.split("pg_advisory_xact_lock", 2);
    expect(before).toContain("set_config('lock_timeout', '60000ms', false)");
    expect(after).toContain("5000ms");
  });

  it("that waits for another one for too long is store_locked, and says what holds it up", async () => {
    const url = await createDatabase();
    await holdWith(url, `select pg_advisory_lock(${MIGRATION_LOCK})`);
    const error = await failureOf(openStore(withParameters(url, { lock_timeout: "200" })));
    expect(error).toMatchObject({ code: "store_locked", ...PASSING });
    expect(error.message).toContain("another process is bringing the database up to date");
  });

  it("that waits for a table of an open transaction is store_locked", async () => {
    const url = await createDatabase();
    await holdWith(url, "begin", "create table countersign_migration (name text)");
    const error = await failureOf(openStore(url));
    expect(error).toMatchObject({ code: "store_locked", ...PASSING });
    expect(error.hint).toContain("a transaction that is held open");
  });
});
