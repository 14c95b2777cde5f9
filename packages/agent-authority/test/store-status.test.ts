import { readFileSync } from "node:fs";
import { expectRejection } from "@countersign/testing/vitest";
import { sql } from "kysely";
import { describe, expect, it, onTestFinished } from "vitest";
import { AgentAuthorityError, createRegistry, inspectStore, openStore } from "../src/index.js";
import { createMigrations } from "../src/store/migrations.js";
import { makeDatabaseBefore } from "./database-before.js";
import { createTestDatabase, databaseKind } from "./test-database.js";

const ALL = Object.keys(createMigrations(databaseKind));
const EARLIER = "0006_stops";
const MIGRATIONS = databaseKind === "sqlite" ? "kysely_migration" : "countersign_migration";

async function emptyDatabase(): Promise<string> {
  const database = await createTestDatabase();
  onTestFinished(() => database.drop());
  return database.url;
}

/** Makes a database of an earlier version. */
async function earlierDatabase(): Promise<string> {
  const url = await emptyDatabase();
  await (await makeDatabaseBefore(url, EARLIER)).destroy();
  return url;
}

/** What the file of SQLite holds. */
function bytesOf(url: string): string {
  return databaseKind === "sqlite" ? readFileSync(url.slice("sqlite:".length), "base64") : "";
}

describe("a database that is opened without an upgrade", () => {
  it("is refused if it is of an earlier version, and stays as it is (G-A54)", async () => {
    const url = await earlierDatabase();
    const before = bytesOf(url);
    const opening = openStore(url, { upgrade: false });
    await expectRejection(opening, AgentAuthorityError, "config_invalid");
    await expect(opening).rejects.toThrow(/earlier version: it lacks 0006_stops, 0007_operators/);
    await expect(opening).rejects.toMatchObject({ hint: expect.stringContaining("migrate") });
    expect((await inspectStore(url)).pending).toEqual(ALL.filter((name) => name >= EARLIER));
    expect(bytesOf(url)).toBe(before);
  });

  it("is opened if it is new or up to date, also while another process writes", async () => {
    const url = await emptyDatabase();
    await using store = await openStore(url, { upgrade: false });
    await store.transaction(async () => {
      await using other = await openStore(url, { upgrade: false });
      expect(await createRegistry(other).listAgents()).toEqual([]);
    });
  });

  it("is refused if it is of a newer version", async () => {
    const url = await emptyDatabase();
    {
      await using store = await openStore(url);
      await sql
        .raw(`insert into ${MIGRATIONS} (name, timestamp) values ('9999_future', '2099')`)
        .execute(store.rows);
    }
    const opening = openStore(url, { upgrade: false });
    await expectRejection(opening, AgentAuthorityError, "store_corrupt");
    expect(await inspectStore(url)).toMatchObject({ pending: [], unknown: ["9999_future"] });
  });
});

describe("the status of a database", () => {
  it("is not told of one in memory, nor of one that is not there", async () => {
    const memory = inspectStore("sqlite::memory:");
    await expectRejection(memory, AgentAuthorityError, "config_invalid");
    const missing = inspectStore("sqlite:/tmp/no-such-folder/authority.db");
    await expectRejection(missing, AgentAuthorityError, "store_denied");
  });

  it("has all migrations once the database was opened, and none before", async () => {
    const url = await emptyDatabase();
    if (databaseKind === "postgres") {
      expect(await inspectStore(url)).toMatchObject({ applied: [], pending: ALL, unknown: [] });
    }
    await (await openStore(url)).close();
    const { description, ...state } = await inspectStore(url);
    expect(state).toEqual({ applied: ALL, pending: [], unknown: [] });
    expect(url.startsWith(description)).toBe(true);
  });
});
