import { untilAborted } from "@countersign/agent-key";

/** Lets a bounded number run at the same time. The others wait in their order. */
export class Slots {
  #free: number;
  readonly #waiting = new Set<() => void>();

  /** @param count - how many run at the same time, 1 or more */
  constructor(count: number) {
    this.#free = count;
  }

  /** Runs work once there is a slot for it. Rejects with the signal's reason if that is aborted before. */
  async run<T>(work: () => Promise<T>, signal: AbortSignal): Promise<T> {
    await this.#take(signal);
    try {
      return await work();
    } finally {
      this.#give();
    }
  }

  async #take(signal: AbortSignal): Promise<void> {
    if (this.#free > 0) {
      this.#free -= 1;
      return;
    }
    const turn = Promise.withResolvers<void>();
    this.#waiting.add(turn.resolve);
    try {
      await untilAborted(turn.promise, signal);
    } catch (reason) {
      // The turn may have come at the moment of the abort: it is the next one's.
      if (!this.#waiting.delete(turn.resolve)) this.#give();
      throw reason;
    }
  }

  #give(): void {
    const [next] = this.#waiting;
    if (next === undefined) {
      this.#free += 1;
      return;
    }
    this.#waiting.delete(next);
    next();
  }
}
