import { untilAborted } from "./until-aborted.js";

/** Lets one task at a time run, in the order they came. Within this process. */
export class Mutex {
  #last: Promise<unknown> = Promise.resolve();
  #pending = 0;

  /** Whether no task runs or waits. */
  get idle(): boolean {
    return this.#pending === 0;
  }

  /**
   * Runs a task when all before it have ended. If the signal is aborted first, it stops waiting and does not run; a task that runs is not touched.
   *
   * @param abortError - makes what the aborted wait rejects with out of the signal's reason; by default the reason itself
   */
  async run<T>(
    task: () => Promise<T>,
    signal?: AbortSignal,
    abortError?: (cause: unknown) => unknown,
  ): Promise<T> {
    const before = this.#last;
    const ended = Promise.withResolvers<void>();
    // Only once everything before is over: a waiter that gave up must not let the next one past a task that still runs.
    this.#last = before.then(() => ended.promise);
    this.#pending += 1;
    try {
      await untilAborted(before, signal, abortError);
      return await task();
    } finally {
      this.#pending -= 1;
      ended.resolve();
    }
  }
}
