import { setTimeout as sleep } from "node:timers/promises";

/** How a client passes the time between its attempts. */
export interface Pacing {
  /** From 0 (included) to 1 (excluded), for the length of a pause. */
  readonly random: () => number;
  readonly wait: (delayMs: number, signal: AbortSignal) => Promise<void>;
}

// No option: only tests have no time for pauses, also those of the packages above.
const PACING = Symbol.for("countersign.pacing");

const REAL: Pacing = {
  random: Math.random,
  wait: (delayMs, signal) => sleep(delayMs, undefined, { signal }),
};

/** How a client with these options is paced. */
export function pacingOf(options: object): Pacing {
  const { [PACING]: other } = options as { readonly [PACING]?: Partial<Pacing> };
  return { ...REAL, ...other };
}
