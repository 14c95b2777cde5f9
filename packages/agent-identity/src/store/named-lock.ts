import { createHash } from "node:crypto";
import { join } from "node:path";
import { openPrivateDirectory, withFileLock } from "@countersign/private-file";

// One registration by another process may take its whole deadline.
const NAMED_LOCK_WAIT_MS = 60_000;

/** Runs while holding a named lock of a home, a file below `locks`. */
export async function withNamedLock<T>(
  directory: string,
  name: string,
  run: (held: AbortSignal) => Promise<T>,
  signal: AbortSignal | undefined,
): Promise<T> {
  const locks = await openPrivateDirectory(join(await openPrivateDirectory(directory), "locks"));
  return await withFileLock(join(locks, `${hashName(name)}.lock`), (lock) => run(lock.signal), {
    signal,
    waitMs: NAMED_LOCK_WAIT_MS,
  });
}

/** A file name for a name that holds accounts and addresses, which are no file names. */
export function hashName(name: string): string {
  return createHash("sha256").update(name).digest("hex").slice(0, 32);
}
