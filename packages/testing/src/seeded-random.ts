import { randomInt } from "node:crypto";

/** Random numbers that can be had again: the same seed gives the same ones. */
export interface SeededRandom {
  readonly seed: number;
  /** From 0 up to `end`, which is not reached. */
  below(end: number): number;
  /** One of them. */
  pick<T>(items: readonly T[]): T;
  /** Numbers of their own for one of several that draw at the same time, so that none changes what another draws. */
  fork(): SeededRandom;
}

/** @param seed - default: the one in `TEST_SEED`, else a new one */
export function seededRandom(
  seed = Number(process.env.TEST_SEED ?? randomInt(2 ** 31)),
): SeededRandom {
  let state = seed >>> 0;
  // Mulberry32.
  const below = (end: number): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * end);
  };
  return {
    seed,
    below,
    pick: (items) => items[below(items.length)] as (typeof items)[number],
    fork: () => seededRandom(below(2 ** 31)),
  };
}
