import { setImmediate } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import {
  type MemoryReplayStoreOptions,
  memoryReplayStore,
  type NonceEntry,
  type ReplayStore,
} from "../binding/replay-store.js";
import { type ReplayStoreContractOptions, replayStoreContract } from "./replay-store-contract.js";

describe("a memory replay store", () => {
  const start = (options?: MemoryReplayStoreOptions) => {
    const store = memoryReplayStore(options);
    return { open: () => store };
  };
  const contract = replayStoreContract({
    start,
    startWithClock: (now) => start({ now }),
    startBounded: (maxEntries) => start({ maxEntries }),
  });
  for (const { name, run } of contract) test(name, run);
});

interface Broken {
  /** What a nonce is known by. */
  nameOf?(entry: NonceEntry): string;
  /** The last instant at which it is kept. */
  keptUntil?(entry: NonceEntry): number;
  /** Whether an entry is over already. */
  isOver?(entry: NonceEntry, now: number): boolean;
  /** Waits between the look and the writing. */
  readonly looksFirst?: boolean;
  /** What is kept as soon as one nonce ended: nothing. */
  readonly forgetsAll?: boolean;
  readonly evicts?: boolean;
  readonly forgetsAtOpening?: boolean;
  readonly isReachable?: boolean;
}

/** A place of plain stores, correct but for what is given. */
function startPlain(broken: Broken, maxEntries = 1000, now: () => number = Date.now) {
  const {
    nameOf = ({ authority, agentRuntimeId, nonce }) =>
      JSON.stringify([authority, agentRuntimeId, nonce]),
    keptUntil = ({ expiresAt }) => expiresAt,
    isOver = ({ expiresAt }, at) => !(at <= expiresAt),
  } = broken;
  let spent = new Map<string, number>();

  const store: ReplayStore = {
    async spend(entry) {
      if (isOver(entry, now())) return false;
      for (const [name, end] of spent) {
        if (end >= now()) continue;
        spent.delete(name);
        if (broken.forgetsAll) spent.clear();
      }
      const isSpent = spent.has(nameOf(entry));
      if (broken.looksFirst) await setImmediate();
      if (isSpent) return false;
      if (spent.size >= maxEntries) {
        if (!broken.evicts) throw new Error("full");
        spent.delete(spent.keys().next().value ?? "");
      }
      spent.set(nameOf(entry), keptUntil(entry));
      return true;
    },
  };
  const open = () => {
    if (broken.forgetsAtOpening) spent = new Map();
    return store;
  };
  return { open };
}

function contractOf(broken: Broken): ReplayStoreContractOptions {
  const spend = async () => {
    throw new Error("unreachable");
  };
  return {
    start: () => startPlain(broken),
    startWithClock: (now) => startPlain(broken, undefined, now),
    startBounded: (maxEntries) => startPlain(broken, maxEntries),
    startUnreachable: () => (broken.isReachable ? startPlain({}) : { open: () => ({ spend }) }),
  };
}

/** Each breaks the rule that it is named by, and no other. */
const BROKEN: Readonly<Record<string, Broken>> = {
  "rejects, and does not answer, when it cannot be reached": { isReachable: true },
  "refuses a nonce whose life is over, or that has no end": {
    isOver: ({ expiresAt }, at) => at > expiresAt,
  },
  "spends a nonce once, of calls at one time and one after the other": { looksFirst: true },
  "refuses what was spent before it was opened": { forgetsAtOpening: true },
  "refuses a nonce that comes again with another end": {
    nameOf: (entry) => JSON.stringify(entry),
  },
  "distinguishes nonces by authority, agent and every character": {
    nameOf: ({ authority, agentRuntimeId, nonce }) =>
      JSON.stringify([authority, agentRuntimeId, nonce.toLowerCase()]),
  },
  "rejects while it is full, and forgets no nonce that is kept": { evicts: true },
  "spends a nonce at the last instant of its life": {
    isOver: ({ expiresAt }, at) => !(at < expiresAt),
  },
  "refuses a spent nonce to the last instant of its life, and after it": {
    keptUntil: ({ expiresAt }) => expiresAt - 1,
  },
  "keeps a nonce that lives while others end": { forgetsAll: true },
};

async function failuresOf(broken: Broken): Promise<string[]> {
  const failed: string[] = [];
  for (const { name, run } of replayStoreContract(contractOf(broken))) {
    await run().catch(() => failed.push(name));
  }
  return failed;
}

test("each rule has a replay store that breaks it", () => {
  const names = replayStoreContract(contractOf({})).map(({ name }) => name);
  expect(names).toEqual(Object.keys(BROKEN));
});

test.each(Object.entries(BROKEN))(
  "a replay store that breaks one rule fails that case alone: %s",
  async (rule, broken) => {
    expect(await failuresOf(broken)).toEqual([rule]);
  },
);

test("a replay store that breaks no rule fails no case", async () => {
  expect(await failuresOf({})).toEqual([]);
});
