import { StoreError } from "@countersign/agent-key";
import {
  type FileLock,
  removeTemporaryFiles,
  withFileLock,
  writePrivateFile,
} from "@countersign/private-file";
import { type AuthFile, loadAuthFile } from "./auth-file.js";

// Codex writes the file without a lock; meeting this often means that something else is wrong.
const MAX_CHANGES_UNDERNEATH = 5;
// Not `auth.json.lock`: newer Codexes keep a file of that name, and a folder in its place would stop them.
const LOCK_SUFFIX = ".countersign.lock";

/** Makes the new text of `auth.json`; `undefined`: it stays as it is. Called again if the file changed underneath. */
export type MakeAuthText = (
  file: AuthFile | undefined,
) => Promise<string | undefined> | string | undefined;

/**
 * Changes `auth.json` atomically, with mode 0600, under a lock. If Codex wrote in between, makes the change again on top of what it wrote.
 *
 * @param target - as `resolveAuthFile` gives it
 * @throws {StoreError} `store_locked` if the lock is held, or the file keeps changing; what reading and writing throw
 */
export async function updateAuthFile(
  target: string,
  make: MakeAuthText,
  signal: AbortSignal | undefined,
): Promise<void> {
  const change = (lock: FileLock) => changeAuthFile(target, lock, () => loadAuthFile(target), make);
  await withAuthFileLock(target, change, signal);
}

/** Runs while holding the lock of `auth.json`, without what a killed process left beside it. */
export async function withAuthFileLock(
  target: string,
  run: (lock: FileLock) => Promise<void>,
  signal: AbortSignal | undefined,
): Promise<void> {
  const clean = async (lock: FileLock) => {
    await removeTemporaryFiles(target);
    await run(lock);
  };
  await withFileLock(target + LOCK_SUFFIX, clean, { signal });
}

/** One change of `auth.json` for the holder of its lock. */
export async function changeAuthFile(
  target: string,
  lock: FileLock,
  load: () => Promise<AuthFile | undefined>,
  make: MakeAuthText,
): Promise<void> {
  for (let attempt = 0; attempt < MAX_CHANGES_UNDERNEATH; attempt += 1) {
    const file = await load();
    const text = await make(file);
    if (text === undefined) return;
    const isWritten = await writePrivateFile(target, text, {
      expectedGeneration: file?.generation,
      beforeRename: () => lock.assertHeld(),
    });
    if (isWritten) return;
  }
  throw new StoreError("store_locked", `${target} keeps changing underneath`, {
    retryable: true,
    hint: "try again when Codex is idle",
  });
}
