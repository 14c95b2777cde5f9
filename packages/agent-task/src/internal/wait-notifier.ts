import type { TaskTimers } from "./task-timers.js";

const FIRST_MS = 1000;
const NEXT_MS = 5000;

/**
 * Reports how long a scope's turns have been waiting: after 1 s, then every 5 s.
 *
 * @param report - called with the whole milliseconds since the call of this function
 * @returns a function that stops it
 */
export function notifyWaiting(timers: TaskTimers, report: (elapsedMs: number) => void): () => void {
  const startedAt = timers.now();
  // A progress line does not keep the process alive.
  const wait = (delayMs: number) => timers.after(delayMs, tick, { keepsAlive: false });
  let stop = wait(FIRST_MS);
  function tick(): void {
    stop = wait(NEXT_MS);
    report(Math.round(timers.now() - startedAt));
  }
  return () => stop();
}
