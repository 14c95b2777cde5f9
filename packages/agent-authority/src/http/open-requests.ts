import type { ServerResponse } from "node:http";

/** Counts the requests that are being answered, so that closing can wait for them. */
export class OpenRequests {
  readonly #open = new Set<ServerResponse>();
  #onEmpty: (() => void) | undefined;

  /** Counts a request until its answer has gone or its connection is lost. */
  add(response: ServerResponse): void {
    this.#open.add(response);
    response.once("close", () => {
      this.#open.delete(response);
      if (this.#open.size === 0) this.#onEmpty?.();
    });
  }

  /** Resolves when none is open, or after the time. */
  async drained(timeoutMs: number): Promise<void> {
    if (this.#open.size === 0) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, timeoutMs);
    this.#onEmpty = resolve;
    await promise;
    clearTimeout(timer);
  }
}
