import type { TaskTimers } from "./task-timers.js";

const FIRST_MS = 1000;
const NEXT_MS = 5000;

/**
 * Tells how long somebody has been waiting: after 1 s, then each 5 s.
 *
 * @param tell - gets whole milliseconds since the call of this function
 * @returns a function that stops it
 */
export function notifyWaiting(timers: TaskTimers, tell: (elapsedMs: number) => void): () => void {
  const startedAt = timers.now();
  // Nobody's process stays for a progress line.
  const wait = (delayMs: number) => timers.after(delayMs, tick, { keepsAlive: false });
  let stop = wait(FIRST_MS);
  function tick(): void {
    stop = wait(NEXT_MS);
    tell(Math.round(timers.now() - startedAt));
  }
  return () => stop();
}
