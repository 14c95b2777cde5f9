import { createHash } from "node:crypto";
import { lstatSync } from "node:fs";
import { readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { setImmediate } from "node:timers/promises";
import {
  type FileLock,
  openPrivateDirectory,
  readPrivateFile,
  resolveHome,
  withFileLock,
  writePrivateFile,
} from "@countersign/private-file";
import { AgentTaskError } from "../agent-task-error.js";
import { checkOptions, LISTENER, LOCK_PATIENCE } from "../internal/options.js";
import { parseStoredThread, type StoredThread } from "../schema/stored-thread.js";
import type { CompleteTaskStore, TaskLockOptions } from "./task-store.js";

const FILE = /^[0-9a-f]{64}\.json$/;
// A few milliseconds of reading.
const READ_AT_ONCE = 50;

/** Options of {@link fileTaskStore}. */
export interface FileTaskStoreOptions {
  /** Called for each file that `list` cannot read and leaves out. Default: `list` rejects with that error. */
  readonly onUnreadable?: ((error: AgentTaskError) => void) | undefined;
}

/**
 * Keeps each thread in an owner-only file `<sha256 of the scope>.json` of a directory, shared by every process of this user.
 *
 * The directory is made at the first save. It has mode 0700; files have mode 0600 and are replaced atomically. The name of a thread is hashed
 * for the file's name, so that it cannot change the path, and is kept inside the file.
 *
 * Calls reject with `StoreError` `store_denied` (the system refuses access, or another user owns the file) or `store_locked`, and with
 * {@link AgentTaskError} `store_corrupt` if a file is not a stored thread.
 *
 * @param path - of the directory: absolute, or begins with `~/`
 * @throws {StoreError} `config_invalid` if the path is relative or not a path, or there is no home folder for `~/`
 * @throws {AgentKeyError} `config_invalid`, naming the option, if an option is wrong
 */
export function fileTaskStore(path: string, options: FileTaskStoreOptions = {}): CompleteTaskStore {
  const directory = resolveHome(path);
  checkOptions(options, { onUnreadable: { ...LISTENER, optional: true } });
  const held = new Map<string, FileLock>();
  return {
    async load(scope) {
      const opened = await openPrivateDirectory(directory, { create: false });
      return opened === undefined ? undefined : await readThread(pathOf(opened, scope), scope);
    },

    async save(scope, thread) {
      const opened = await openPrivateDirectory(directory);
      const text = `${JSON.stringify(thread, null, 2)}\n`;
      // A holder that slept through its lock must not overwrite what the next one wrote.
      const write = (lock: FileLock) => writePrivateFile(pathOf(opened, scope), text, { lock });
      const lock = held.get(scope);
      await (lock === undefined ? withFileLock(lockOf(opened, scope), write) : write(lock));
    },

    async list() {
      const opened = await openPrivateDirectory(directory, { create: false });
      if (opened === undefined) return [];
      const threads: StoredThread[] = [];
      const names = (await readdir(opened)).filter((entry) => FILE.test(entry)).sort();
      for (const [index, name] of names.entries()) {
        // Each file is read at once: without a pause 100,000 of them would keep everything else waiting for seconds.
        if (index % READ_AT_ONCE === READ_AT_ONCE - 1) await setImmediate();
        try {
          const thread = await readThread(join(opened, name));
          if (thread !== undefined) threads.push(thread);
        } catch (error) {
          // A caller with `onUnreadable` still gets the threads that can be read.
          if (options.onUnreadable === undefined || !AgentTaskError.is(error)) throw error;
          options.onUnreadable(error);
        }
      }
      return threads;
    },

    async remove(scope) {
      const opened = await openPrivateDirectory(directory, { create: false });
      if (opened === undefined) return false;
      const path = pathOf(opened, scope);
      // Not parsed: a file that cannot be read can still be removed.
      const existed = (await readPrivateFile(path)) !== undefined;
      await rm(path, { force: true });
      return existed;
    },

    async withLock<T>(
      scope: string,
      run: (held?: AbortSignal) => Promise<T>,
      lockOptions: TaskLockOptions = {},
    ) {
      checkOptions(lockOptions, LOCK_PATIENCE);
      const opened = await openPrivateDirectory(directory);
      return await withFileLock(
        lockOf(opened, scope),
        async (lock) => {
          held.set(scope, lock);
          try {
            return await run(lock.signal);
          } finally {
            held.delete(scope);
          }
        },
        lockOptions,
      );
    },

    // A lock appears and disappears by rename: while it is there, it is held.
    isLocked: async (scope) =>
      lstatSync(lockOf(directory, scope), { throwIfNoEntry: false }) !== undefined,
  };
}

async function readThread(path: string, scope?: string): Promise<StoredThread | undefined> {
  const file = await readPrivateFile(path);
  return file === undefined ? undefined : parseStoredThread(parseJson(file.text), path, scope);
}

// Text that is not JSON becomes `undefined`, so that the parser of threads reports it with the same error as any other corrupt thread.
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function pathOf(directory: string, scope: string): string {
  return join(directory, `${hash(scope)}.json`);
}

function lockOf(directory: string, scope: string): string {
  return join(directory, `${hash(scope)}.lock`);
}

function hash(scope: string): string {
  return createHash("sha256").update(scope, "utf8").digest("hex");
}
