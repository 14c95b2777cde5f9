import { constants, lstatSync } from "node:fs";
import { type FileHandle, mkdir, open } from "node:fs/promises";
import { dirname } from "node:path";
import { assertOwnedByUser } from "./assert-owned-by-user.js";
import type { PrivateDirectoryOptions } from "./private-file-options.js";
import { resolveHome } from "./resolve-home.js";
import { errnoOf, storeDenied, toStoreError } from "./store-denied.js";

// Absent on Windows, where the profile's own permissions protect the directory.
const FLAGS = constants.O_RDONLY | (constants.O_DIRECTORY ?? 0) | (constants.O_NOFOLLOW ?? 0);

/**
 * Makes sure that a directory is this user's alone: owned by it and 0700, tightened where it is not. The directory itself is never a
 * symbolic link; links above it are followed.
 *
 * @param path - absolute, or begins with `~/`
 * @returns its absolute path; `undefined`: it does not exist and was not to be made
 * @throws {StoreError} `store_denied`; `config_invalid` if the path is relative, or there is no home folder for `~/`
 * @see docs/guarantees.md, "Homes and output"
 */
export async function openPrivateDirectory(path: string): Promise<string>;
export async function openPrivateDirectory(
  path: string,
  options: PrivateDirectoryOptions,
): Promise<string | undefined>;
export async function openPrivateDirectory(
  path: string,
  options: PrivateDirectoryOptions = {},
): Promise<string | undefined> {
  const directory = resolveHome(path);
  try {
    if (options.create !== false) await make(directory);
    const found = lstatSync(directory);
    if (found.isSymbolicLink()) {
      throw storeDenied(
        directory,
        "is a symbolic link",
        "name the real place: links are not followed",
      );
    }
    if (!found.isDirectory()) throw storeDenied(directory, "is no directory", "move it away");
    assertOwnedByUser(directory, found.uid);
    if (process.platform !== "win32" && (found.mode & 0o077) !== 0) await tighten(directory);
    return directory;
  } catch (error) {
    if (errnoOf(error) === "ENOENT" && options.create === false) return undefined;
    throw toStoreError(directory, error);
  }
}

/** Makes a directory and its parents. Step by step: `recursive` reports a read-only file system as ENOENT. */
async function make(directory: string): Promise<void> {
  try {
    await mkdir(directory, { mode: 0o700 });
  } catch (error) {
    const errno = errnoOf(error);
    // Something stands there; what it is, is said by the checks that follow.
    if (errno === "EEXIST") return;
    if (errno !== "ENOENT" || dirname(directory) === directory) throw error;
    await make(dirname(directory));
    await mkdir(directory, { mode: 0o700 }).catch((again: unknown) => {
      // Another process made it first.
      if (errnoOf(again) !== "EEXIST") throw again;
    });
  }
}

async function tighten(directory: string): Promise<void> {
  let handle: FileHandle | undefined;
  try {
    // By the handle, so that this directory is changed, and not another one that was put in its place.
    handle = await open(directory, FLAGS);
    assertOwnedByUser(directory, (await handle.stat()).uid);
    await handle.chmod(0o700);
  } finally {
    await handle?.close();
  }
}
