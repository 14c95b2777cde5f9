const FIRST_PAUSE_MS = 5;
const LONGEST_PAUSE_MS = 100;
// The first waiter in the line looks this often: it alone may take the lock, so a free lock stays unused until it looks.
const NEXT_PAUSE_MS = 20;

/**
 * Decides how long a waiter pauses between two looks at a lock, and when it has waited long enough. The waiting time begins again when the
 * lock changes hands.
 */
export class LockPatience {
  readonly #waitMs: number;
  #holder: string | undefined;
  #since: number;
  #pauseMs = FIRST_PAUSE_MS;

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

  /**
   * The pause before the next look, in milliseconds: twice the last one, and no longer than its turn is away.
   *
   * @param ahead - how many wait before this one
   */
  nextPause(ahead: number): number {
    const pauseMs = Math.min(this.#pauseMs, LONGEST_PAUSE_MS, NEXT_PAUSE_MS * Math.max(ahead, 1));
    this.#pauseMs = 2 * pauseMs;
    return pauseMs;
  }
}
