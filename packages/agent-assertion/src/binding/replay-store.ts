import { createHash } from "node:crypto";
import { numberIn } from "@countersign/agent-key";
import { AgentAssertionError } from "../agent-assertion-error.js";
import { CLOCK, checkOptions } from "../internal/options.js";

const DEFAULT_MAX_ENTRIES = 250_000;

/** The nonce of one bound request. */
export interface NonceEntry {
  readonly authority: string;
  readonly agentRuntimeId: string;
  /** 22 to 256 visible ASCII characters, compared byte for byte. */
  readonly nonce: string;
  /** The last instant at which the request would be accepted, epoch milliseconds. */
  readonly expiresAt: number;
}

/** Remembers which nonces were spent, for all instances of a server. */
export interface ReplayStore {
  /**
   * Spends a nonce: of any number of calls for one (authority, agent, nonce), at one time or one after the other, exactly one gives `true`.
   *
   * It is kept until `expiresAt` is past by the store's own clock. An entry whose `expiresAt` is past already gives `false`: it may have
   * been spent and forgotten.
   *
   * @returns `false`: it was spent before
   * @throws when the store is full or cannot be reached; the request is then refused with 503 `server_error`. A nonce that is still kept
   * never makes room for another
   */
  spend(entry: NonceEntry): Promise<boolean>;
}

/** Options of {@link memoryReplayStore}. */
export interface MemoryReplayStoreOptions {
  /** How many nonces are kept at most, about 200 bytes each. 1 or more. Default 250,000: 400 bound requests a second for ten minutes. */
  readonly maxEntries?: number | undefined;
  /** The clock, epoch milliseconds. Default `Date.now`. */
  readonly now?: (() => number) | undefined;
}

/**
 * A replay store in this process's memory: for a server of one process that is not restarted within the life of an assertion. What was
 * spent in another process, or before a restart, it does not know.
 *
 * @throws {AgentAssertionError} `config_invalid` when `maxEntries` is not an integer from 1 up; `spend` rejects with
 * `server_error` while the store is full
 */
export function memoryReplayStore(options: MemoryReplayStoreOptions = {}): ReplayStore {
  checkOptions(options, { maxEntries: numberIn(1, Number.MAX_SAFE_INTEGER), now: CLOCK });
  const { maxEntries = DEFAULT_MAX_ENTRIES, now = Date.now } = options;
  // By the instant of their end, so that those that are over go without a look at the others.
  const ending = new Map<number, string[]>();
  const spent = new Set<string>();
  let sweptAt = Number.NEGATIVE_INFINITY;
  // The latest end of those that were forgotten. A clock that is set back would let them be spent again.
  let forgottenTo = Number.NEGATIVE_INFINITY;

  function sweep(at: number): void {
    for (const [expiresAt, names] of ending) {
      if (at <= expiresAt) continue;
      for (const name of names) spent.delete(name);
      ending.delete(expiresAt);
      forgottenTo = Math.max(forgottenTo, expiresAt);
    }
    sweptAt = at;
  }

  return {
    async spend(entry) {
      const at = now();
      if (!(at <= entry.expiresAt) || entry.expiresAt <= forgottenTo) return false;
      if (at - sweptAt >= 1000 || at < sweptAt) sweep(at);
      const name = nameOf(entry);
      if (spent.has(name)) return false;
      if (spent.size >= maxEntries) {
        sweep(at);
        if (spent.size >= maxEntries) throw full();
      }
      spent.add(name);
      const names = ending.get(entry.expiresAt);
      if (names === undefined) ending.set(entry.expiresAt, [name]);
      else names.push(name);
      return true;
    },
  };
}

// Hashed, so that long nonces do not cost more than short ones.
function nameOf({ authority, agentRuntimeId, nonce }: NonceEntry): string {
  const text = JSON.stringify([authority, agentRuntimeId, nonce]);
  return createHash("sha256").update(text).digest("base64");
}

function full(): AgentAssertionError {
  return new AgentAssertionError("server_error", "the replay store is full", {
    hint: "try again in some minutes, or give the store a larger maxEntries",
    retryable: true,
  });
}
