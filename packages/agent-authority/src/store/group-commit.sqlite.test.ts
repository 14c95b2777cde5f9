import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { sql } from "kysely";
import { describe, expect, it, onTestFinished } from "vitest";
import { AgentAuthorityError } from "../agent-authority-error.js";
import type { Rows } from "./authority-store.js";
import { transactInGroups } from "./group-commit.js";
import { openStore } from "./open-store.js";

async function open() {
  const folder = await mkdtemp(join(tmpdir(), "countersign-group-"));
  const file = join(folder, "authority.db");
  const store = await openStore(`sqlite:${file}`);
  onTestFinished(async () => {
    await store.close();
    await rm(folder, { recursive: true, force: true });
  });
  const insert = (hash: string) => (rows: Rows) =>
    rows
      .insertInto("spent_nonces")
      .values({ nonce_hash: hash, expires_at: "2026-01-01T00:00:00Z" })
      .execute();
  const hashes = async () =>
    (await store.rows.selectFrom("spent_nonces").select("nonce_hash").execute())
      .map(({ nonce_hash }) => nonce_hash)
      .sort();
  return { file, store, insert, hashes };
}

describe("transactions that come in together", () => {
  it("leave 16 turns of the event loop to new connections before each group, and none inside of it", async () => {
    const { store, insert, hashes } = await open();
    const sizes: number[] = [];
    const transact = transactInGroups(store.rows, (size) => sizes.push(size));
    let turns = 0;
    let isDone = false;
    const countTurns = () => {
      if (isDone) return;
      turns += 1;
      setImmediate(countTurns);
    };
    setImmediate(countTurns);
    const seen: number[] = [];
    const write = (hash: string) =>
      transact(async (rows) => {
        await insert(hash)(rows);
        seen.push(turns);
      });
    await Promise.all([write("a"), write("b").then(() => write("c"))]);
    isDone = true;
    const [first = 0, second, third = 0] = seen;
    expect(second).toBe(first);
    expect(third - first).toBeGreaterThanOrEqual(16);
    expect(first).toBeGreaterThanOrEqual(15);
    expect(sizes).toEqual([2, 1]);
    expect(await hashes()).toEqual(["a", "b", "c"]);
  });

  it("are on disk before the database is closed in the middle of them", async () => {
    const { file, store, insert } = await open();
    const names = Array.from({ length: 10 }, (_, index) => `${index}`);
    let begun = 0;
    const closed = Promise.withResolvers<void>();
    const written = names.map((name) =>
      store.transaction(async (rows) => {
        begun += 1;
        if (begun === 3) closed.resolve(store.close());
        await insert(name)(rows);
      }),
    );
    await Promise.all(written);
    await closed.promise;
    const database = new DatabaseSync(file);
    expect(database.prepare("select count(*) as rows from spent_nonces").get()?.rows).toBe(10);
    database.close();
  });

  it("fail alone: what one did before its error is gone, the others' is there", async () => {
    const { store, insert, hashes } = await open();
    const outcomes = await Promise.allSettled([
      store.transaction(insert("a")),
      store.transaction(async (rows) => {
        await insert("b")(rows);
        throw new Error("no");
      }),
      store.transaction(insert("a")),
      store.transaction(insert("c")),
    ]);
    expect(outcomes.map(({ status }) => status)).toEqual([
      "fulfilled",
      "rejected",
      "rejected",
      "fulfilled",
    ]);
    expect(await hashes()).toEqual(["a", "c"]);
  });

  it("are written with one commit", async () => {
    const { store, insert } = await open();
    // Each commit writes the pages it changed once more, so one commit of all writes fewer than there are transactions.
    await sql`pragma wal_checkpoint(truncate)`.execute(store.rows);
    await Promise.all(Array.from({ length: 40 }, (_, n) => store.transaction(insert(`${n}`))));
    const { rows } = await sql<{ log: number }>`pragma wal_checkpoint(passive)`.execute(store.rows);
    expect(rows[0]?.log).toBeGreaterThan(0);
    expect(rows[0]?.log).toBeLessThan(40);
  });

  it("are all told when the group could not be written", async () => {
    const { file, store, insert, hashes } = await open();
    const other = new DatabaseSync(file);
    other.exec("begin immediate");
    const outcomes = await Promise.allSettled(
      ["a", "b", "c"].map((hash) => store.transaction(insert(hash))),
    );
    other.exec("rollback");
    other.close();
    for (const outcome of outcomes) {
      const reason = outcome.status === "rejected" ? outcome.reason : undefined;
      expect(AgentAuthorityError.is(reason) && reason.code).toBe("store_locked");
    }
    expect(await hashes()).toEqual([]);
    await store.transaction(insert("d"));
    expect(await hashes()).toEqual(["d"]);
  });

  it("are all told when SQLite gives the whole group up", async () => {
    const { store, insert, hashes } = await open();
    const outcomes = await Promise.allSettled([
      store.transaction(insert("a")),
      store.transaction(async (rows) => {
        await insert("b")(rows);
        // As SQLite does by itself when the disk is full.
        await sql`rollback`.execute(rows);
        throw new Error("full");
      }),
      store.transaction(insert("c")),
    ]);
    expect(outcomes.map(({ status }) => status)).toEqual(["rejected", "rejected", "rejected"]);
    expect(await hashes()).toEqual([]);
    await store.transaction(insert("d"));
    expect(await hashes()).toEqual(["d"]);
  });
});
