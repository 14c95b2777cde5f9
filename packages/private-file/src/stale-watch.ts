import type { LockHolder } from "./lock-directory.js";
import type { ProcessLife } from "./process-mark.js";

type Sign = Pick<LockHolder, "word" | "beat">;

// A holder that was killed where that cannot be seen (another container, another system than Linux) holds the others up for so long.
const STALE_MS = 3000;
// One that can be seen to run is only busy: a call into the system's keyring keeps the whole process, on a slow machine for seconds.
const STALE_WHILE_RUNNING_MS = 30_000;
// Time between two looks counts up to here: after a sleep of the whole machine the holder gets its time to show that it lives.
const LONGEST_GAP_MS = 500;

/**
 * Tells from looking at a lock again and again whether its holder still lives. No clock of the file system or of another process is
 * compared with this one's, so setting a clock breaks no lock.
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
