import { lstat, mkdir, readdir, readFile, rm, rmdir, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { findProcessLife } from "./process-mark.js";
import { StaleWatch } from "./stale-watch.js";
import { errnoOf } from "./store-denied.js";

// A place in the line is a file in a folder beside the lock: its name is a number and the waiter's word, its text the mark of its process.
const PLACE = /^\d{12}-[0-9a-f]{32}$/;
const BEAT_MS = 500;

interface Ahead {
  readonly mark: string;
  readonly watch: StaleWatch;
}

/**
 * A waiter's place in the line for a lock, across processes.
 *
 * The line only says whose turn it is: the lock itself keeps the others out. So a place may be lost or passed over at any time, and the worst is
 * another order. The place of a process that has ended, or that gives no sign of life for three seconds, holds nobody up.
 */
export class LockLine {
  readonly #folder: string;
  readonly #word: string;
  readonly #ahead = new Map<string, Ahead>();
  #place: string | undefined;
  #beatAt = 0;

  /** @param word - 32 hex digits, random: the waiter's */
  constructor(lockPath: string, word: string) {
    this.#folder = `${lockPath}.line`;
    this.#word = word;
  }

  /**
   * How many wait before this one; all, while it has no place.
   *
   * @param now - monotonic, milliseconds
   */
  async ahead(now: number): Promise<number> {
    const places = await this.#places();
    const before = places.filter((place) => this.#place === undefined || place < this.#place);
    for (const [index, place] of before.entries()) {
      if (await this.#isWaiting(place, now)) return before.length - index;
    }
    return 0;
  }

  /**
   * Takes a place behind all others, or gives a sign of life at the one it has.
   *
   * @param mark - tells others of this process
   * @param now - monotonic, milliseconds
   */
  async enter(mark: string, now: number): Promise<void> {
    if (this.#place !== undefined && now - this.#beatAt < BEAT_MS) return;
    this.#beatAt = now;
    if (this.#place !== undefined && (await touch(join(this.#folder, this.#place)))) return;
    await mkdir(this.#folder, { mode: 0o700 }).catch(unless("EEXIST"));
    const last = Number((await this.#places()).at(-1)?.slice(0, 12) ?? 0);
    const place = `${String(last + 1).padStart(12, "0")}-${this.#word}`;
    try {
      await writeFile(join(this.#folder, place), mark, { flag: "wx", mode: 0o600 });
      this.#place = place;
    } catch (error) {
      // The last of those who waited went and took the folder along: the next look takes a place.
      unless("ENOENT")(error);
      this.#beatAt = Number.NEGATIVE_INFINITY;
    }
  }

  /** Gives the place up. Never fails: what stays is passed over. */
  async leave(): Promise<void> {
    if (this.#place === undefined) return;
    await rm(join(this.#folder, this.#place), { force: true }).catch(() => undefined);
    this.#place = undefined;
    await rmdir(this.#folder).catch(() => undefined);
  }

  async #places(): Promise<string[]> {
    const names = await readdir(this.#folder).catch(unless("ENOENT"));
    return (names ?? []).filter((name) => PLACE.test(name)).sort();
  }

  async #isWaiting(place: string, now: number): Promise<boolean> {
    const path = join(this.#folder, place);
    try {
      const known = this.#ahead.get(place);
      const { mark, watch } = known ?? {
        mark: await readFile(path, "utf8"),
        watch: new StaleWatch(),
      };
      if (known === undefined) this.#ahead.set(place, { mark, watch });
      const life = await findProcessLife(mark);
      const isSilent = watch.isStale(
        { word: place, beat: (await lstat(path, { bigint: true })).mtimeNs },
        now,
      );
      // One that runs keeps its place, though it is too busy to take its turn.
      if (life === "over" || (isSilent && life !== "running")) await this.#remove(path);
      return life !== "over" && !isSilent;
    } catch (error) {
      unless("ENOENT")(error);
      return false;
    }
  }

  async #remove(path: string): Promise<void> {
    await rm(path, { force: true });
    await rmdir(this.#folder).catch(() => undefined);
  }
}

async function touch(path: string): Promise<boolean> {
  const now = new Date();
  return await utimes(path, now, now).then(
    () => true,
    (error: unknown) => unless("ENOENT")(error) ?? false,
  );
}

function unless(expected: string): (error: unknown) => undefined {
  return (error) => {
    if (errnoOf(error) !== expected) throw error;
    return undefined;
  };
}
