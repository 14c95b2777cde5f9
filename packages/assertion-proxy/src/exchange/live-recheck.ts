import { REVOCATION_DELAY_SECONDS } from "@countersign/agent-assertion";
import type { Recheck } from "./admission.js";
import { OpenSet } from "./open-set.js";

/** An open request that is looked at again and again. */
export interface Rechecked {
  readonly recheck: Recheck;
  /** Ends it. */
  readonly end: (error: unknown) => void;
}

// A directory that does not answer for this long cannot vouch for anything that is open (protocol.md, revocation has a bound).
const LONGEST_LOOK_MS = REVOCATION_DELAY_SECONDS.most * 1000;

/** Looks again, on a timer, at whatever is open, and ends what may no longer be. Keeps no timer while nothing is open. */
export class LiveRecheck {
  readonly #everyMs: number;
  readonly #open = new OpenSet<Rechecked>();
  readonly #looking = new Set<string>();
  #timer: NodeJS.Timeout | undefined;

  /** @param everyMs - milliseconds from one look to the next */
  constructor(everyMs: number) {
    this.#everyMs = everyMs;
  }

  add(open: Rechecked): void {
    this.#open.add(open);
    this.#timer ??= setInterval(() => this.#look(), this.#everyMs);
  }

  delete(open: Rechecked): void {
    this.#open.delete(open);
    if (this.#open.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  #look(): void {
    const looks = new Map<string, Recheck>();
    for (const { recheck } of this.#open) looks.set(recheck.key, recheck);
    for (const [key, recheck] of looks) {
      if (!this.#looking.has(key)) void this.#lookAt(key, recheck);
    }
  }

  async #lookAt(key: string, recheck: Recheck): Promise<void> {
    this.#looking.add(key);
    try {
      await withinDeadline(recheck, Math.max(LONGEST_LOOK_MS, this.#everyMs));
    } catch (error) {
      // Also when it could not be told: a directory has its own time for which it answers from what it knows.
      for (const open of this.#open) {
        if (open.recheck.key === key) open.end(error);
      }
    } finally {
      this.#looking.delete(key);
    }
  }
}

/** Does not rely on the other side to heed its signal. */
async function withinDeadline(recheck: Recheck, ms: number): Promise<void> {
  const gaveUp = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  const deadline = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(new Error("no answer in time"));
      gaveUp.abort();
    }, ms);
  });
  try {
    await Promise.race([recheck.run(gaveUp.signal), deadline]);
  } finally {
    clearTimeout(timer);
  }
}
