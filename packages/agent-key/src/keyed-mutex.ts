import { untilAborted } from "./until-aborted.js";

/** Lets one task at a time run for each key, in the order they came. Within this process. */
export class KeyedMutex {
  readonly #tails = new Map<string, Promise<void>>();

  /**
   * @param abortError - what a wait that is aborted rejects with; a task that runs is not touched
   */
  async run<T>(
    key: string,
    task: () => Promise<T>,
    signal: AbortSignal | undefined,
    abortError: (cause: unknown) => Error,
  ): Promise<T> {
    const previous = this.#tails.get(key) ?? Promise.resolve();
    let release = () => {};
    const mine = new Promise<void>((resolve) => {
      release = resolve;
    });
    const tail = previous.then(() => mine);
    this.#tails.set(key, tail);
    // Only once everything before is over: a waiter that gave up must not let the next one past a task that still runs.
    void tail.then(() => {
      if (this.#tails.get(key) === tail) this.#tails.delete(key);
    });
    try {
      await untilAborted(previous, signal, abortError);
      return await task();
    } finally {
      release();
    }
  }
}
