import { describe, expect, it, onTestFinished } from "vitest";
import { AgentAuthorityError, databaseReplayStore, openStore } from "../src/index.js";
import { holdTable } from "./hold-table.js";
import { runProgram } from "./run-process.js";
import { createTestDatabase } from "./test-database.js";

const HOUR_MS = 3_600_000;

async function createDatabase(): Promise<string> {
  const database = await createTestDatabase();
  onTestFinished(() => database.drop());
  return database.url;
}

async function open(url?: string) {
  const clock = { ms: Date.UTC(2026, 2, 23, 12) };
  const store = await openStore(url ?? (await createDatabase()), { now: () => clock.ms });
  onTestFinished(() => store.close());
  const rowsNow = async () =>
    (await store.rows.selectFrom("spent_nonces").selectAll().execute()).length;
  return { clock, store, rowsNow, replayStore: databaseReplayStore(store) };
}

function entryOf(clock: { readonly ms: number }, change: object = {}) {
  return {
    authority: "https://authority.example",
    agentRuntimeId: "agent_1",
    nonce: "A".repeat(22),
    expiresAt: clock.ms + 300_000,
    ...change,
  };
}

describe("a nonce in the database", () => {
  it("is kept to the last instant of its life and ten minutes on, whatever comes after it", async () => {
    const { clock, replayStore, rowsNow } = await open();
    const first = entryOf(clock, { expiresAt: clock.ms + 300_500 });
    expect(await replayStore.spend(first)).toBe(true);
    clock.ms += 300_500;
    expect(await replayStore.spend(first)).toBe(false);
    // A process whose clock is ten minutes behind would still accept it.
    clock.ms += 600_500;
    expect(await replayStore.spend(entryOf(clock, { nonce: "B".repeat(22) }))).toBe(true);
    clock.ms -= 600_500;
    expect(await replayStore.spend(first)).toBe(false);
    clock.ms += 602_000;
    expect(await replayStore.spend(entryOf(clock, { nonce: "C".repeat(22) }))).toBe(true);
    expect(await rowsNow()).toBe(2);
  });

  it("makes no room for others while it lives, and what ended goes a bounded number at a time (G-B3)", async () => {
    const { clock, store, replayStore, rowsNow } = await open();
    expect(await replayStore.spend(entryOf(clock, { expiresAt: clock.ms + HOUR_MS }))).toBe(true);
    const expires_at = "2026-03-23T12:00:01Z";
    for (let index = 0; index < 25; index += 1) {
      const rows = Array.from({ length: 100 }, (_, n) => ({
        nonce_hash: `${index}-${n}`,
        expires_at,
      }));
      await store.rows.insertInto("spent_nonces").values(rows).execute();
    }
    clock.ms += 700_000;
    const left: number[] = [];
    for (const name of ["1", "2", "3", "4"]) {
      const nonce = name.repeat(22);
      expect(await replayStore.spend(entryOf(clock, { nonce }))).toBe(true);
      left.push(await rowsNow());
    }
    expect(left).toEqual([1_502, 503, 4, 5]);
  });

  it("is on disk: a verifier that starts again knows it", async () => {
    const url = await createDatabase();
    const { clock, store, replayStore } = await open(url);
    expect(await replayStore.spend(entryOf(clock))).toBe(true);
    await store.close();
    const again = await open(url);
    expect(await again.replayStore.spend(entryOf(clock))).toBe(false);
  });
});

describe("a database that cannot be written", () => {
  it("makes spending reject while another connection holds it, and spends nothing", async () => {
    const url = await createDatabase();
    const { clock, replayStore } = await open(url);
    const release = await holdTable(url, "spent_nonces");
    const error = await replayStore.spend(entryOf(clock)).catch((reason: unknown) => reason);
    await release();
    expect(AgentAuthorityError.is(error) && error.code).toBe("store_locked");
    expect(await replayStore.spend(entryOf(clock))).toBe(true);
  });

  it("makes spending reject once it is closed", async () => {
    const { clock, store, replayStore } = await open();
    await store.close();
    await expect(replayStore.spend(entryOf(clock))).rejects.toThrow();
  });
});

describe("processes that share a database", () => {
  it("spend each nonce once between them, and the one that comes later sees all of them replayed (G-B2)", async () => {
    const args = ["spender", await createDatabase(), "200"] as const;
    const spent = await Promise.all(Array.from({ length: 3 }, () => runProgram(...args)));
    const all = (spent as number[][]).flat().sort((a, b) => a - b);
    expect(all).toEqual(Array.from({ length: 200 }, (_, index) => index));
    expect(await runProgram(...args)).toEqual([]);
  });
});
