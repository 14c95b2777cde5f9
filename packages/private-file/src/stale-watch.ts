import type { LockHolder } from "./lock-directory.js";
import type { ProcessLife } from "./process-mark.js";

type Sign = Pick<LockHolder, "word" | "beat">;

// If a killed holder cannot be seen (in another container, or not on Linux), the others wait for this long.
const STALE_MS = 3000;
// A holder that can be seen to run is only busy: a call into the system's keyring blocks the whole process, for seconds on a slow machine.
const STALE_WHILE_RUNNING_MS = 30_000;
// The time between two looks counts up to this, so that a holder has time for a sign of life after the whole machine slept.
const LONGEST_GAP_MS = 500;

/**
 * Decides from repeated looks at a lock whether its holder still lives. Compares this process's clock with no clock of the file system or of
 * another process, so a clock that is set breaks no lock.
 */
export class StaleWatch {
  #seen: Sign | undefined;
  #lookedAt = 0;
  #silentMs = 0;

  /**
   * @param holder - who holds the lock at this look
   * @param now - monotonic, milliseconds
   * @param life - what is known of its process
   * @returns whether that process has ended, or the holder gave no sign of life for three seconds, or for thirty while its process goes on
   */
  isStale(holder: Sign, now: number, life: ProcessLife): boolean {
    const isSame = holder.word === this.#seen?.word && holder.beat === this.#seen.beat;
    this.#silentMs = isSame ? this.#silentMs + Math.min(now - this.#lookedAt, LONGEST_GAP_MS) : 0;
    this.#seen = holder;
    this.#lookedAt = now;
    if (life === "over") return true;
    return this.#silentMs >= (life === "running" ? STALE_WHILE_RUNNING_MS : STALE_MS);
  }
}
