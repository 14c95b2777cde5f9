const FIRST_DELAY_MS = 1000;

/**
 * Spares questions to an authority that does not answer: those whose asker has a stale record to go on with. Otherwise each of them would
 * wait for a whole time-out.
 *
 * One question goes through at a time, and the next after as long as the outage has lasted: 1 s at first, `maxDelayMs` in the end. The
 * first answer ends it.
 */
export class OutageBackoff {
  readonly #maxDelayMs: number;
  #since: number | undefined;
  #askAt = 0;

  /** @param maxDelayMs - how long the authority's return may go unnoticed at most */
  constructor(maxDelayMs: number) {
    this.#maxDelayMs = maxDelayMs;
  }

  /** Tells whether a question that can be spared is asked all the same; if so, the next one is only after a delay. */
  admits(now: number): boolean {
    if (this.#since === undefined) return true;
    const waitMs = this.#askAt - now;
    // A clock that was set back waits no longer than any other.
    if (waitMs > 0 && waitMs <= this.#maxDelayMs) return false;
    this.#delay(this.#since, now);
    return true;
  }

  /** Whatever it was, something answered. */
  answered(): void {
    this.#since = undefined;
  }

  /** Nothing answered. */
  failed(now: number): void {
    this.#since ??= now;
    this.#delay(this.#since, now);
  }

  #delay(since: number, now: number): void {
    this.#askAt = now + Math.min(this.#maxDelayMs, Math.max(FIRST_DELAY_MS, now - since));
  }
}
