/** Tells when a waiter has waited long enough for a lock. Only time in which the lock did not change hands counts. */
export class LockPatience {
  readonly #waitMs: number;
  #holder: string | undefined;
  #since: number;

  /**
   * @param waitMs - how long one holder is waited for, in milliseconds
   * @param now - monotonic, milliseconds
   */
  constructor(waitMs: number, now: number) {
    this.#waitMs = waitMs;
    this.#since = now;
  }

  /**
   * @param holder - the word under which the lock is held at this look; `undefined`: it is free
   * @param now - monotonic, milliseconds
   */
  isOver(holder: string | undefined, now: number): boolean {
    // A lock that was free at one look alone has the same holder as before, or another word.
    if (holder !== undefined && holder !== this.#holder) {
      if (this.#holder !== undefined) this.#since = now;
      this.#holder = holder;
    }
    return now - this.#since >= this.#waitMs;
  }
}
