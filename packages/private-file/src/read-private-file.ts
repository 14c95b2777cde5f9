import { closeSync, constants, fchmodSync, fstatSync, openSync, readFileSync } from "node:fs";
import { StoreError } from "@countersign/agent-key";
import { assertOwnedByUser } from "./assert-owned-by-user.js";
import { generationOf } from "./generation.js";
import type { PrivateFile } from "./private-file-options.js";
import { errnoOf, storeDenied, toStoreError } from "./store-denied.js";

const MAX_BYTES = 16n * 1024n * 1024n;
// Non-blocking, because to open a named pipe without a writer would never end.
const FLAGS = constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0);

/**
 * Reads an owner-only text file. Symbolic links, special files and files of other users are refused; a file that others may read is
 * tightened to 0600.
 *
 * @returns its text, generation and version; `undefined`: it does not exist
 * @throws {StoreError} `store_denied`; `store_corrupt` if it is not UTF-8 or is over 16 MiB
 */
export async function readPrivateFile(path: string): Promise<PrivateFile | undefined> {
  let descriptor: number | undefined;
  try {
    // All at once: a small file is there sooner than a thread of the pool would be, which is asked five times otherwise.
    descriptor = openSync(path, FLAGS);
    const found = fstatSync(descriptor, { bigint: true });
    if (!found.isFile()) throw storeDenied(path, "is no regular file", "move it away");
    assertOwnedByUser(path, Number(found.uid));
    if (found.size > MAX_BYTES) throw corrupt(path, "is too large");
    if (process.platform !== "win32" && (found.mode & 0o077n) !== 0n) fchmodSync(descriptor, 0o600);
    const bytes = readFileSync(descriptor);
    return { text: decode(path, bytes), generation: generationOf(found), version: found };
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return undefined;
    throw toStoreError(path, error);
  } finally {
    if (descriptor !== undefined) closeSync(descriptor);
  }
}

function decode(path: string, bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    // The bytes are not quoted: they may be a secret.
    throw corrupt(path, "is not UTF-8");
  }
}

function corrupt(path: string, what: string): StoreError {
  return new StoreError("store_corrupt", `${path} ${what}`, {
    hint: "restore it from a backup, or move it away and log in again",
  });
}
