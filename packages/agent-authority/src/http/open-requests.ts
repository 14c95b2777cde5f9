import type { IncomingMessage, ServerResponse } from "node:http";

/** Counts the requests that are being answered, so that closing can wait for them. */
export class OpenRequests {
  // No `Set` of them: the tables that it leaves behind would keep them until the next full collection.
  #open = 0;
  #onEmpty: (() => void) | undefined;

  /**
   * Counts a request until its answer has gone or its connection is lost, which it is at the latest after this time: who does not read its
   * answers would else hold them, and its connection, for ever.
   */
  add({ socket }: IncomingMessage, response: ServerResponse, maxMs: number): void {
    this.#open += 1;
    const timer = setTimeout(() => socket.destroy(), maxMs);
    response.once("close", () => {
      clearTimeout(timer);
      this.#open -= 1;
      if (this.#open === 0) this.#onEmpty?.();
    });
  }

  /** Resolves when none is open, or after the time. */
  async drained(timeoutMs: number): Promise<void> {
    if (this.#open === 0) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, timeoutMs);
    this.#onEmpty = resolve;
    await promise;
    clearTimeout(timer);
  }
}
