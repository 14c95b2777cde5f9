import { lstat, mkdir, readdir, readFile, rm, rmdir, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { findProcessLife } from "./process-mark.js";
import { errnoOf } from "./store-denied.js";

// A place in the line is a file in a folder beside the lock: its name is a number and the waiter's word, its text the mark of its process.
const PLACE = /^\d{12}-[0-9a-f]{32}$/;
const BEAT_MS = 500;
const SILENT_MS = 3000;

/**
 * A waiter's place in the line for a lock, across processes.
 *
 * The line only says whose turn it is: the lock itself keeps the others out. So a place may be lost or passed over at any time, and the worst
 * result is another order.
 *
 * A waiter removes each place whose process has ended, and each place without a sign of life within three seconds by this machine's clock.
 * The waiter whose place was removed takes a new place at its next look. If the line cannot be used, for instance because it belongs to
 * another user, the waiter does without it.
 */
export class LockLine {
  readonly #folder: string;
  readonly #word: string;
  #place: string | undefined;
  #beatAt = Number.NEGATIVE_INFINITY;
  #isUsable = true;

  /** @param word - 32 hex digits, random: the waiter's */
  constructor(lockPath: string, word: string) {
    this.#folder = lineOf(lockPath);
    this.#word = word;
  }

  /**
   * How many wait before this one; all, while it has no place. Never fails.
   *
   * @param now - the time by the clock, milliseconds since 1970
   */
  async ahead(now: number): Promise<number> {
    return (await this.#unlessUnusable(() => this.#countAhead(now))) ?? 0;
  }

  /**
   * Takes a place behind all others, or gives a sign of life at the one it has. Never fails.
   *
   * @param mark - identifies this process to others. See `markOfThisProcess`
   * @param now - the time by the clock, milliseconds since 1970
   */
  async enter(mark: string, now: number): Promise<void> {
    const sinceBeat = now - this.#beatAt;
    if (this.#place !== undefined && sinceBeat >= 0 && sinceBeat < BEAT_MS) return;
    this.#beatAt = now;
    await this.#unlessUnusable(() => this.#takePlace(mark, now));
  }

  /** Gives the place up. Never fails: what stays is removed by others. */
  async leave(): Promise<void> {
    if (this.#place === undefined) return;
    await rm(join(this.#folder, this.#place), { force: true }).catch(() => undefined);
    this.#place = undefined;
    await rmdir(this.#folder).catch(() => undefined);
  }

  async #countAhead(now: number): Promise<number> {
    const places = await loadPlaces(this.#folder);
    const before = places.filter((place) => this.#place === undefined || place < this.#place);
    const waiting = await Promise.all(
      before.map((place) => isWaiting(join(this.#folder, place), now)),
    );
    if (waiting.includes(false)) await rmdir(this.#folder).catch(() => undefined);
    return waiting.filter(Boolean).length;
  }

  async #takePlace(mark: string, now: number): Promise<void> {
    if (this.#place !== undefined && (await touch(join(this.#folder, this.#place), now))) return;
    this.#place = undefined;
    await mkdir(this.#folder, { mode: 0o700 }).catch(unless("EEXIST"));
    const numbers = (await loadPlaces(this.#folder)).map((place) => Number(place.slice(0, 12)));
    const last = Math.max(0, ...numbers);
    const place = `${String(last + 1).padStart(12, "0")}-${this.#word}`;
    const path = join(this.#folder, place);
    // The last of those who waited may go and take the folder along: then the next look takes a place.
    const write = writeFile(path, mark, { flag: "wx", mode: 0o600 }).then(() => true);
    if (!(await write.catch(unless("ENOENT")))) return;
    this.#place = place;
    await touch(path, now);
  }

  async #unlessUnusable<T>(use: () => Promise<T>): Promise<T | undefined> {
    if (!this.#isUsable) return undefined;
    return await use().catch(() => {
      this.#isUsable = false;
      return undefined;
    });
  }
}

/**
 * Removes what killed waiters left of a line, with its folder if nothing else is in it. Never fails.
 *
 * @param now - the time by the clock, milliseconds since 1970
 */
export async function removeSilentPlaces(folder: string, now: number): Promise<void> {
  const places = await loadPlaces(folder).catch(() => []);
  await Promise.allSettled(places.map((place) => isWaiting(join(folder, place), now)));
  await rmdir(folder).catch(() => undefined);
}

/** The folder of the line for a lock. */
export function lineOf(lockPath: string): string {
  return `${lockPath}.line`;
}

async function loadPlaces(folder: string): Promise<string[]> {
  const names = await readdir(folder).catch(unless("ENOENT"));
  return (names ?? []).filter((name) => PLACE.test(name));
}

/** Whether a live waiter is at a place. Removes the place if not. */
async function isWaiting(path: string, now: number): Promise<boolean> {
  try {
    const { mtimeMs } = await lstat(path);
    const isSilent = Math.abs(now - mtimeMs) > SILENT_MS;
    if (!isSilent && (await findProcessLife(await readFile(path, "utf8"))) !== "over") return true;
    await rm(path, { force: true });
    return false;
  } catch (error) {
    unless("ENOENT")(error);
    return false;
  }
}

async function touch(path: string, now: number): Promise<boolean> {
  const time = new Date(now);
  return await utimes(path, time, time).then(
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
