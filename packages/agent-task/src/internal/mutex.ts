import { untilAborted } from "@countersign/agent-key";

/** Lets one run at a time, in the order of asking. */
export class Mutex {
  #last: Promise<unknown> = Promise.resolve();
  #pending = 0;

  /** Whether nobody holds it or waits for it. */
  get idle(): boolean {
    return this.#pending === 0;
  }

  /**
   * Runs when all runs before have ended. A caller whose signal is aborted stops waiting and does not run.
   *
   * @throws the signal's reason
   */
  async run<T>(run: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    const before = this.#last;
    let release = (): void => {};
    const ended = new Promise<void>((resolve) => {
      release = resolve;
    });
    this.#last = before.then(() => ended);
    this.#pending += 1;
    try {
      await untilAborted(before, signal);
      return await run();
    } finally {
      this.#pending -= 1;
      release();
    }
  }
}
