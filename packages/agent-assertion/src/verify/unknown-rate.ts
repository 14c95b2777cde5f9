import { LinkedMap } from "@countersign/agent-key";

interface Count {
  /** How many ids may still turn out not to exist. */
  readonly left: number;
  /** Epoch milliseconds. */
  readonly at: number;
}

const MAX_SOURCES = 10_000;
const MINUTE_MS = 60_000;

/** Counts, by source, the ids that were asked for and do not exist. What is used up comes back evenly, all of it within a minute. */
export class UnknownRate {
  readonly #perMinute: number;
  readonly #now: () => number;
  readonly #counts = new LinkedMap<string, Count>(MAX_SOURCES);

  constructor(perMinute: number, now: () => number) {
    this.#perMinute = perMinute;
    this.#now = now;
  }

  /** Whether a source may ask for another id that may not exist. */
  admits(source: string): boolean {
    return this.#left(source) >= 1;
  }

  /** Takes note of an id that does not exist. */
  count(source: string): void {
    const left = Math.max(0, this.#left(source) - 1);
    this.#counts.set(source, { left, at: this.#now() });
  }

  #left(source: string): number {
    const count = this.#counts.get(source);
    if (count === undefined) return this.#perMinute;
    const now = this.#now();
    if (now < count.at) {
      // A clock that was set back gives nothing back, and is gone by from there on.
      this.#counts.set(source, { left: count.left, at: now });
      return count.left;
    }
    const ms = now - count.at;
    return Math.min(this.#perMinute, count.left + (ms * this.#perMinute) / MINUTE_MS);
  }
}
