import { lstatSync, renameSync, rmSync } from "node:fs";
import { lstat, mkdir, readdir, readFile, rename, rm, utimes, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { removeSilentPlaces } from "./lock-line.js";
import { errnoOf, storeDenied } from "./store-denied.js";

// A lock is a directory that holds one file, named by its owner's word. It appears and disappears by rename, always whole. So no process ever
// sees a lock without a word, and a rename never replaces a directory that is not empty.
const WORD = /^[0-9a-f]{32}$/;
const LEFT_OVER = /\.[0-9a-f]{32}\.(?:new|gone)$/;
const LINE = /\.?lock\.line$/;
// Much longer than any process takes between a look at a lock and putting it aside.
const LEFT_OVER_MS = 60_000;

/** The holder of a lock. */
export interface LockHolder {
  readonly word: string;
  /** Another one after each sign of life. */
  readonly beat: bigint;
  /** What its process said of itself. See `findProcessLife`. */
  readonly mark: string;
}

/**
 * Takes a lock unless it is held.
 *
 * @param word - 32 hex digits, random
 * @param mark - identifies this process to others. See `markOfThisProcess`
 * @returns whether it was taken
 */
export async function takeLock(path: string, word: string, mark = ""): Promise<boolean> {
  if (await isThere(path)) return false;
  const prepared = `${path}.${word}.new`;
  // Fails where there is no directory for the lock: nothing to wait for.
  await mkdir(prepared, { mode: 0o700 });
  try {
    await writeFile(join(prepared, word), mark, { flag: "wx", mode: 0o600 });
    await rename(prepared, path);
    return true;
  } catch (error) {
    await rm(prepared, { recursive: true, force: true }).catch(() => undefined);
    if (isOvertaken(error) || (await isThere(path))) return false;
    throw error;
  }
}

/**
 * The current holder of a lock; `undefined` if the lock is free.
 *
 * @throws {StoreError} `store_denied` if something that is not a lock is in its place
 */
export async function loadLockHolder(path: string): Promise<LockHolder | undefined> {
  try {
    const names = await readdir(path);
    const word = names.find((name) => WORD.test(name));
    if (word !== undefined) {
      const { mtimeNs } = await lstat(join(path, word), { bigint: true });
      return { word, beat: mtimeNs, mark: await readFile(join(path, word), "utf8") };
    }
    // Empty: it was put aside while it was looked at.
    if (names.length === 0) return undefined;
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return undefined;
    throw error;
  }
  throw storeDenied(path, "is in the place of a lock, but is not a lock", "move it away");
}

/** Gives a sign of life. Returns whether the lock is still held under this word. */
export async function touchLock(path: string, word: string): Promise<boolean> {
  const now = new Date();
  try {
    await utimes(join(path, word), now, now);
    return true;
  } catch (error) {
    // Any other failure does not show who holds the lock.
    return errnoOf(error) !== "ENOENT";
  }
}

/** Whether the lock is held under this word. */
export async function isLockHeldBy(path: string, word: string): Promise<boolean> {
  return await isThere(join(path, word));
}

/**
 * Puts a lock aside if it is held under this word, and leaves it in place if it is held under another word.
 *
 * The lock is renamed to a name that contains the word. So of all processes that saw the same stale holder, exactly one succeeds, and the
 * others cannot put aside the lock that the next process has taken. Therefore a stale lock is renamed and never removed.
 *
 * @returns whether this call did it
 */
export async function putLockAside(path: string, word: string): Promise<boolean> {
  return (await isLockHeldBy(path, word)) && (await renameLockAside(path, word));
}

/** The second half of {@link putLockAside}: between the two another process may have taken the lock. */
export async function renameLockAside(path: string, word: string): Promise<boolean> {
  const aside = asideOf(path, word);
  try {
    await rename(path, aside);
  } catch (error) {
    if (isOvertaken(error)) return false;
    throw error;
  }
  if (await isThere(join(aside, word))) return true;
  // It was released and taken by another in the last moment: that one's lock goes back. Should the place be taken already, its
  // holder finds its word missing before it replaces anything.
  await rename(aside, path).catch(() => undefined);
  return false;
}

/** Releases a lock; does nothing when it is no longer held under this word. */
export async function releaseLock(path: string, word: string): Promise<void> {
  if (await putLockAside(path, word)) {
    await rm(asideOf(path, word), { recursive: true, force: true });
  }
}

/** As {@link releaseLock}, at once, while the process ends. */
export function releaseLockSync(path: string, word: string): void {
  try {
    lstatSync(join(path, word));
    renameSync(path, asideOf(path, word));
    rmSync(asideOf(path, word), { recursive: true, force: true });
  } catch {
    // Not held, or not to be released: the next one waits until it is stale.
  }
}

/** Removes what killed processes left beside the locks of a directory. Nothing there is ever waited for, so it may be done at any time. */
export async function removeLockLeftOvers(path: string, now: number): Promise<void> {
  const directory = dirname(path);
  for (const name of await readdir(directory)) {
    if (LINE.test(name)) await removeSilentPlaces(join(directory, name), now);
    if (!LEFT_OVER.test(name)) continue;
    const leftOver = join(directory, name);
    try {
      const { ctimeMs } = await lstat(leftOver);
      if (now - ctimeMs > LEFT_OVER_MS) await rm(leftOver, { recursive: true, force: true });
    } catch {
      // Another process was faster, or this process may not remove it. A left-over blocks no lock.
    }
  }
}

function asideOf(path: string, word: string): string {
  return `${path}.${word}.gone`;
}

async function isThere(path: string): Promise<boolean> {
  try {
    await lstat(path);
    return true;
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return false;
    throw error;
  }
}

// ENOENT: what was to be renamed is gone; the others: its new place is taken, as Linux, other systems and Windows say it.
function isOvertaken(error: unknown): boolean {
  const errno = errnoOf(error);
  const isWindows = process.platform === "win32" && (errno === "EPERM" || errno === "EACCES");
  return errno === "ENOTEMPTY" || errno === "EEXIST" || isWindows || errno === "ENOENT";
}
