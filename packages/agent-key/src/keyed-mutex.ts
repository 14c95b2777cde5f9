import { Mutex } from "./mutex.js";

/** Lets one task at a time run for each key, in the order they came. Within this process. */
export class KeyedMutex {
  readonly #mutexes = new Map<string, Mutex>();

  /** Whether a task of this key runs or waits. */
  isHeld(key: string): boolean {
    return this.#mutexes.has(key);
  }

  /** Runs a task when all before it with this key have ended; as {@link Mutex.run}. */
  async run<T>(
    key: string,
    task: () => Promise<T>,
    signal?: AbortSignal,
    abortError?: (cause: unknown) => unknown,
  ): Promise<T> {
    const mutex = this.#mutexes.get(key) ?? new Mutex();
    this.#mutexes.set(key, mutex);
    try {
      return await mutex.run(task, signal, abortError);
    } finally {
      // Another one may stand there by now: two runs that end together both find theirs idle.
      if (mutex.idle && this.#mutexes.get(key) === mutex) this.#mutexes.delete(key);
    }
  }
}
