const FIRST_DELAY_MS = 1000;

/**
 * Holds back questions to an authority that does not answer, if a stale record can serve instead. Otherwise each question would wait for a
 * whole time-out.
 *
 * One question goes through at a time. The next one follows after as long as the outage has lasted: 1 s at first, and at most `maxDelayMs`. The
 * first answer ends the outage.
 */
export class OutageBackoff {
  readonly #maxDelayMs: number;
  #since: number | undefined;
  #askAt = 0;

  /** @param maxDelayMs - how long the authority's return may go unnoticed at most */
  constructor(maxDelayMs: number) {
    this.#maxDelayMs = maxDelayMs;
  }

  /** Returns whether a question that can be spared is asked all the same. If so, the next one is admitted only after a delay. */
  admits(now: number): boolean {
    if (this.#since === undefined) return true;
    const waitMs = this.#askAt - now;
    // A clock that was set back waits no longer than any other.
    if (waitMs > 0 && waitMs <= this.#maxDelayMs) return false;
    this.#delay(this.#since, now);
    return true;
  }

  /** Called when the authority answered, even with an error. */
  answered(): void {
    this.#since = undefined;
  }

  /** Called when the authority gave no answer. */
  failed(now: number): void {
    this.#since ??= now;
    this.#delay(this.#since, now);
  }

  #delay(since: number, now: number): void {
    this.#askAt = now + Math.min(this.#maxDelayMs, Math.max(FIRST_DELAY_MS, now - since));
  }
}
