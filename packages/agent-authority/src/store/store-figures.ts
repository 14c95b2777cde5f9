import type { AuthorityStore } from "./authority-store.js";
import { type CountPace, countLive } from "./count-live.js";
import { databaseSize } from "./database-size.js";

/** What a database holds. A member is absent until it was read for the first time. */
export interface StoreFigures {
  readonly liveAgents?: number | undefined;
  readonly liveTasks?: number | undefined;
  readonly sizeBytes?: number | undefined;
}

// Some milliseconds of each query, and a twentieth of the time at most.
const PACE: CountPace = { stepRows: 1_000, pauseMs: 50 };
const REST_MS = 60_000;
// A registry that takes a minute to count is counted each ten minutes.
const REST_SHARE = 9;

/**
 * Makes what gives the figures of a store as they were last read. If that was a minute ago, or nine times as long as the reading took, they are read again
 * behind the answer. What cannot be read keeps its last value.
 */
export function readStoreFigures(
  store: AuthorityStore,
  pace: CountPace = PACE,
): () => StoreFigures {
  let figures: StoreFigures = {};
  let isReading = false;
  let restsUntil = Number.NEGATIVE_INFINITY;

  async function readAll(): Promise<void> {
    figures = { ...figures, sizeBytes: await databaseSize(store) };
    figures = { ...figures, liveAgents: await countLive(store, "agents", pace) };
    figures = { ...figures, liveTasks: await countLive(store, "tasks", pace) };
  }

  async function read(): Promise<void> {
    const startedAt = performance.now();
    isReading = true;
    // `/readyz` and the requests that fail say that the database cannot be used.
    await readAll().catch(() => undefined);
    isReading = false;
    const endedAt = performance.now();
    restsUntil = endedAt + Math.max(REST_MS, REST_SHARE * (endedAt - startedAt));
  }

  return () => {
    if (!isReading && !store.isClosed && performance.now() >= restsUntil) void read();
    return figures;
  };
}
