/** How the waiting for tasks is timed. */
export interface TaskTimers {
  /** A clock that never goes back. Milliseconds since any instant. */
  now(): number;
  /**
   * Calls `run` once, after a time in milliseconds.
   *
   * @param options.keepsAlive - whether the process stays for it. Default true
   * @returns what stops it
   */
  after(
    delayMs: number,
    run: () => void,
    options?: { readonly keepsAlive?: boolean | undefined },
  ): () => void;
}

/** Node's own timers. */
export const nodeTimers: TaskTimers = {
  now: () => performance.now(),
  after(delayMs, run, options = {}) {
    const timer = setTimeout(run, delayMs);
    if (options.keepsAlive === false) timer.unref();
    return () => clearTimeout(timer);
  },
};

// No option: only the tests of this package have other timers than Node's.
const TIMERS = Symbol("timers");

/** Options for a manager that is timed by these, to be spread into its own. */
export function timedBy(timers: TaskTimers): object {
  return { [TIMERS]: timers };
}

/** Returns the timers of a manager with these options. */
export function timersOf(options: object): TaskTimers {
  const { [TIMERS]: others = nodeTimers } = options as { readonly [TIMERS]?: TaskTimers };
  return others;
}

/** Counts down from now. @returns a function that returns the milliseconds left, negative after the end */
export function startCountdown(timers: TaskTimers, totalMs: number): () => number {
  const startedAt = timers.now();
  return () => totalMs - (timers.now() - startedAt);
}
