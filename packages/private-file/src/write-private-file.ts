import { randomBytes } from "node:crypto";
import { constants, fsync } from "node:fs";
import { type FileHandle, lstat, open, readdir, rename, rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { promisify } from "node:util";
import { assertOwnedByUser } from "./assert-owned-by-user.js";
import { loadGeneration } from "./generation.js";
import { publishFileEvent } from "./private-file-channel.js";
import type { WritePrivateFileOptions } from "./private-file-options.js";
import { errnoOf, storeDenied, toStoreError } from "./store-denied.js";

const FLAGS =
  constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | (constants.O_NOFOLLOW ?? 0);
const TEMPORARY = /^\.[0-9a-f]{24}\.tmp$/;

/**
 * Replaces a file by an owner-only one (0600), atomically and durably: a random, exclusive temporary file beside it or in its lock, synced,
 * then renamed over it, then the directory synced. A reader sees the old text or the new one, whole.
 *
 * @returns whether it was written; false: the file no longer has the expected generation, and nothing was changed
 * @throws {StoreError} `store_denied`; `store_locked` if the given lock was lost; what `beforeRename` throws
 */
export async function writePrivateFile(
  path: string,
  text: string,
  options: WritePrivateFileOptions = {},
): Promise<boolean> {
  const { lock } = options;
  const name = `${basename(path)}.${randomBytes(12).toString("hex")}.tmp`;
  const temporary = join(lock?.directory ?? dirname(path), name);
  let isMade = false;
  try {
    await assertReplaceable(path);
    const handle = await open(temporary, FLAGS, 0o600);
    isMade = true;
    publishFileEvent("temporary_made", path);
    await fill(handle, path, text);
    await lock?.assertHeld();
    await options.beforeRename?.();
    if (
      "expectedGeneration" in options &&
      (await loadGeneration(path)) !== options.expectedGeneration
    ) {
      return false;
    }
    await rename(temporary, path);
    isMade = false;
    publishFileEvent("renamed", path);
    await syncDirectory(dirname(path));
    publishFileEvent("directory_synced", path);
    return true;
  } catch (error) {
    // Nothing is missing but what went away with a lost lock.
    if (errnoOf(error) === "ENOENT") await lock?.assertHeld();
    throw toStoreError(path, error);
  } finally {
    if (isMade) await rm(temporary, { force: true });
  }
}

/**
 * Removes temporary files that a killed process left beside a file. Only to be called while holding the lock of that file.
 *
 * @throws {StoreError} `store_denied`
 */
export async function removeTemporaryFiles(path: string): Promise<void> {
  const name = basename(path);
  try {
    for (const entry of await readdir(dirname(path))) {
      if (entry.startsWith(name) && TEMPORARY.test(entry.slice(name.length))) {
        await rm(join(dirname(path), entry), { force: true });
      }
    }
  } catch (error) {
    throw toStoreError(path, error);
  }
}

async function assertReplaceable(path: string): Promise<void> {
  try {
    const found = await lstat(path);
    if (found.isSymbolicLink()) {
      throw storeDenied(path, "is a symbolic link", "name the real place: links are not followed");
    }
    if (!found.isFile()) throw storeDenied(path, "is no regular file", "move it away");
    assertOwnedByUser(path, found.uid);
  } catch (error) {
    if (errnoOf(error) !== "ENOENT") throw error;
  }
}

async function fill(handle: FileHandle, path: string, text: string): Promise<void> {
  try {
    // The umask may have taken more than it should; nothing may add to 0600.
    await handle.chmod(0o600);
    await handle.writeFile(text, "utf8");
    publishFileEvent("temporary_written", path);
    await sync(handle);
    publishFileEvent("temporary_synced", path);
  } finally {
    await handle.close();
  }
}

async function syncDirectory(directory: string): Promise<void> {
  let handle: FileHandle | undefined;
  try {
    handle = await open(directory, constants.O_RDONLY);
    await sync(handle);
  } catch {
    // Windows and some network file systems cannot sync a directory; the rename itself has happened.
  } finally {
    await handle?.close();
  }
}

// By its descriptor: a handle of Yarn's Plug'n'Play has no `sync`. Taken from the module at each call, so that it can be watched.
async function sync(handle: FileHandle): Promise<void> {
  await promisify(fsync)(handle.fd);
}
