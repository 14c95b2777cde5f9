import assert from "node:assert/strict";
import {
  type ContractCase,
  type ContractPlace,
  type ContractRules,
  contractCases,
} from "@countersign/agent-key";
import type { NonceEntry, ReplayStore } from "../binding/replay-store.js";

type Place = ContractPlace<ReplayStore>;
type Rules = ContractRules<Place>;

/** Options of {@link replayStoreContract}. */
export interface ReplayStoreContractOptions {
  /** Makes an empty place. Called once for each run of a case. */
  readonly start: () => Place | Promise<Place>;
  /** Makes an empty place whose stores read this clock, epoch milliseconds. Default: the cases that move the clock are left out. */
  readonly startWithClock?: ((now: () => number) => Place | Promise<Place>) | undefined;
  /** Makes an empty place that has room for so many nonces. Default: the case of a full store is left out. */
  readonly startBounded?: ((maxEntries: number) => Place | Promise<Place>) | undefined;
  /** Makes a place whose stores cannot reach what they keep nonces in. Default: the case of an unreachable store is left out. */
  readonly startUnreachable?: (() => Place | Promise<Place>) | undefined;
}

const LIFE_MS = 300_000;
const DAY_MS = 86_400_000;
const START = Date.UTC(2026, 2, 23, 12);
const ROOM = 3;

function entryOf(change: Partial<NonceEntry> = {}): NonceEntry {
  return {
    authority: "https://authority.example",
    agentRuntimeId: "agent_1",
    nonce: "AAECAwQFBgcICQoLDA0ODw",
    expiresAt: Date.now() + LIFE_MS,
    ...change,
  };
}

const UNREACHABLE_RULES: Rules = {
  "rejects, and does not answer, when it cannot be reached": async ({ open }) => {
    const store = await open();
    await assert.rejects(async () => store.spend(entryOf()));
  },
};

const BOUNDED_RULES: Rules = {
  "rejects while it is full, and forgets no nonce that is kept": async ({ open }) => {
    const store = await open();
    const kept = Array.from({ length: ROOM }, (_, index) => entryOf({ nonce: `nonce-${index}` }));
    for (const entry of kept) assert.equal(await store.spend(entry), true);
    await assert.rejects(store.spend(entryOf()));
    for (const entry of kept) assert.equal(await store.spend(entry), false);
  },
};

const RULES: Rules = {
  "refuses a nonce whose life is over, or that has no end": async ({ open }) => {
    const store = await open();
    for (const expiresAt of [0, Date.now() - DAY_MS, Number.NaN]) {
      assert.equal(await store.spend(entryOf({ expiresAt })), false);
    }
  },

  "spends a nonce once, of calls at one time and one after the other": async ({ open }) => {
    const stores = [await open(), await open()] as const;
    const entry = entryOf();
    const calls = Array.from({ length: 50 }, (_, index) => stores[index % 2 ? 1 : 0].spend(entry));
    const answers = await Promise.all(calls);
    assert.equal(answers.filter((isFirst) => isFirst).length, 1);
    for (const store of stores) assert.equal(await store.spend(entry), false);
  },

  "refuses what was spent before it was opened": async ({ open }) => {
    assert.equal(await (await open()).spend(entryOf()), true);
    assert.equal(await (await open()).spend(entryOf()), false);
  },

  "refuses a nonce that comes again with another end": async ({ open }) => {
    const store = await open();
    const entry = entryOf();
    assert.equal(await store.spend(entry), true);
    for (const change of [-1, 1000, DAY_MS]) {
      const again = { ...entry, expiresAt: entry.expiresAt + change };
      assert.equal(await store.spend(again), false);
    }
  },

  "distinguishes nonces by authority, agent and every character": async ({ open }) => {
    const store = await open();
    const entries = [
      {},
      { authority: "https://other.example" },
      { agentRuntimeId: "agent_2" },
      { agentRuntimeId: 'agent_1","AAEC', nonce: "AwQFBgcICQoLDA0ODw" },
      { nonce: "aaecawqfbgcicqoldA0odw" },
      { nonce: "AAECAwQFBgcICQoLDA0ODx" },
      { nonce: "x".repeat(256) },
      { nonce: `${"x".repeat(255)}y` },
    ].map(entryOf);
    for (const entry of entries) assert.equal(await store.spend(entry), true);
    for (const entry of entries) assert.equal(await store.spend(entry), false);
  },
};

interface ClockPlace extends Place {
  readonly clock: { now: number };
}

const CLOCK_RULES: ContractRules<ClockPlace> = {
  "spends a nonce at the last instant of its life": async ({ open, clock }) => {
    const store = await open();
    assert.equal(await store.spend(entryOf({ expiresAt: clock.now })), true);
  },

  "refuses a spent nonce to the last instant of its life, and after it": async ({
    open,
    clock,
  }) => {
    const store = await open();
    const entry = entryOf({ expiresAt: START + LIFE_MS });
    assert.equal(await store.spend(entry), true);
    for (const ms of [1, LIFE_MS - 1, LIFE_MS, LIFE_MS + 1, 10 * DAY_MS]) {
      clock.now = START + ms;
      assert.equal(await store.spend(entry), false);
    }
  },

  "keeps a nonce that lives while others end": async ({ open, clock }) => {
    const store = await open();
    const living = entryOf({ expiresAt: START + DAY_MS });
    assert.equal(await store.spend(living), true);
    for (let index = 0; index < 20; index += 1) {
      clock.now = START + index * 60_000;
      const other = entryOf({ nonce: `nonce-${index}`, expiresAt: clock.now + 1000 });
      assert.equal(await store.spend(other), true);
      assert.equal(await store.spend(living), false);
    }
  },
};

/**
 * Returns the cases that every {@link ReplayStore} passes, for the tests of a store of your own, with any test runner.
 *
 * Not checked, because it takes several processes: that exactly one of them spends a nonce. Two stores of one place stand for them.
 *
 * @example
 * for (const { name, run } of replayStoreContract({ start })) test(name, run);
 */
export function replayStoreContract(options: ReplayStoreContractOptions): readonly ContractCase[] {
  const { start, startWithClock, startBounded, startUnreachable } = options;
  const cases = [...contractCases(RULES, start)];
  if (startUnreachable !== undefined) {
    cases.unshift(...contractCases(UNREACHABLE_RULES, startUnreachable));
  }
  if (startBounded !== undefined) {
    cases.push(...contractCases(BOUNDED_RULES, () => startBounded(ROOM)));
  }
  if (startWithClock !== undefined) {
    const startAt = async (): Promise<ClockPlace> => {
      const clock = { now: START };
      const place = await startWithClock(() => clock.now);
      return { clock, open: () => place.open(), close: () => place.close?.() };
    };
    cases.push(...contractCases(CLOCK_RULES, startAt));
  }
  return cases;
}
