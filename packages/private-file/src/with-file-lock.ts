import { randomBytes } from "node:crypto";
import { resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { KeyedMutex, numberIn, optionChecks, StoreError } from "@countersign/agent-key";
import {
  isLockHeldBy,
  type LockHolder,
  loadLockHolder,
  putLockAside,
  releaseLock,
  releaseLockSync,
  removeLockLeftOvers,
  takeLock,
  touchLock,
} from "./lock-directory.js";
import { LockLine } from "./lock-line.js";
import { LockPatience } from "./lock-patience.js";
import { publishFileEvent } from "./private-file-channel.js";
import type { FileLock, FileLockOptions } from "./private-file-options.js";
import { findProcessLife, markOfThisProcess } from "./process-mark.js";
import { StaleWatch } from "./stale-watch.js";
import { toStoreError } from "./store-denied.js";

const { checkOptions } = optionChecks(StoreError);

const BEAT_MS = 750;

// Callers of one process wait for each other in memory, so that they do not compete through the file system.
const line = new KeyedMutex();
const heldByPath = new Map<string, string>();

/**
 * Runs while holding the lock `path` (a directory that exists while it is held) across processes and within this one. The parent
 * directory must exist.
 *
 * The lock holds a random owner word, and its holder gives regular signs of life. A waiter puts the lock aside by a rename if the holder has
 * ended, or gave no sign of life for three seconds, or for thirty if its process can be seen to run. If that holder only slept, its
 * `assertHeld` throws before it replaces anything. Waiters are served in the order in which they came.
 *
 * @throws {StoreError} `store_locked` (retryable) if the lock did not change hands for `waitMs`, or was lost; `store_denied`; `cancelled`;
 *   `config_invalid` if an option is wrong
 * @see docs/guarantees.md, "Homes and output"
 */
export async function withFileLock<T>(
  path: string,
  run: (lock: FileLock) => Promise<T>,
  options: FileLockOptions = {},
): Promise<T> {
  checkOptions(options, { waitMs: numberIn(0, Number.MAX_SAFE_INTEGER, { fraction: true }) });
  const lockPath = resolve(path);
  const { signal, waitMs = 10_000 } = options;
  const task = () => holdLock(lockPath, run, signal, waitMs);
  return await line.run(lockPath, task, signal, (cause) => cancelled(lockPath, cause));
}

async function holdLock<T>(
  lockPath: string,
  run: (lock: FileLock) => Promise<T>,
  signal: AbortSignal | undefined,
  waitMs: number,
): Promise<T> {
  const word = randomBytes(16).toString("hex");
  await acquire(lockPath, word, signal, waitMs);
  const lost = new AbortController();
  const beat = setInterval(async () => {
    const isHeld = await touchLock(lockPath, word);
    if (!isHeld && heldByPath.get(lockPath) === word) lost.abort(lockLost(lockPath));
  }, BEAT_MS);
  beat.unref();
  releaseAtExit(lockPath, word);
  publishFileEvent("lock_taken", lockPath);
  try {
    return await run({
      directory: lockPath,
      signal: lost.signal,
      async assertHeld() {
        if (lost.signal.aborted || !(await isLockHeldBy(lockPath, word))) throw lockLost(lockPath);
      },
    });
  } finally {
    clearInterval(beat);
    heldByPath.delete(lockPath);
    // What cannot be released is broken by the next one; what was done under the lock is done.
    await releaseLock(lockPath, word).catch(() => undefined);
    publishFileEvent("lock_released", lockPath);
  }
}

async function acquire(
  lockPath: string,
  word: string,
  signal: AbortSignal | undefined,
  waitMs: number,
): Promise<void> {
  const watch = new StaleWatch();
  const patience = new LockPatience(waitMs, performance.now());
  const place = new LockLine(lockPath, word);
  try {
    for (;;) {
      if (signal?.aborted === true) throw cancelled(lockPath, signal.reason);
      const mark = await markOfThisProcess();
      const ahead = await place.ahead(Date.now());
      if (ahead === 0 && (await takeLock(lockPath, word, mark))) return;
      const holder = await loadLockHolder(lockPath);
      if (holder !== undefined && (await breakLock(lockPath, holder, watch))) continue;
      if (patience.isOver(holder?.word, performance.now())) throw stillHeld(lockPath);
      await place.enter(mark, Date.now());
      const pauseMs = patience.nextPause(ahead);
      // Never in step with the others that wait. An abort is looked at above.
      await sleep(pauseMs * (0.5 + Math.random()), undefined, { signal }).catch(() => undefined);
    }
  } catch (error) {
    throw toStoreError(lockPath, error);
  } finally {
    await place.leave();
  }
}

/** Puts a lock aside if its holder has ended or is silent. Returns whether the caller should try again at once. */
async function breakLock(path: string, holder: LockHolder, watch: StaleWatch): Promise<boolean> {
  const life = await findProcessLife(holder.mark);
  if (!watch.isStale(holder, performance.now(), life)) return false;
  if (await putLockAside(path, holder.word)) {
    publishFileEvent("lock_broken", path);
    // A killed process left this lock, and others may have left more: only here the directory is searched for them.
    await removeLockLeftOvers(path, Date.now());
  }
  return true;
}

/** Releases the lock when this process ends in the middle, for instance by `process.exit`, so that others need not wait. */
function releaseAtExit(lockPath: string, word: string): void {
  if (heldByPath.size === 0 && !process.listeners("exit").includes(releaseAll)) {
    process.on("exit", releaseAll);
  }
  heldByPath.set(lockPath, word);
}

function releaseAll(): void {
  for (const [path, word] of heldByPath) releaseLockSync(path, word);
}

function lockLost(lockPath: string): StoreError {
  return new StoreError("store_locked", `the lock ${lockPath} was lost`, {
    retryable: true,
    hint: "try again; nothing was changed",
  });
}

function stillHeld(lockPath: string): StoreError {
  return new StoreError("store_locked", `${lockPath} is held by another process`, {
    retryable: true,
    hint: "wait for the other process to finish, and try again",
  });
}

function cancelled(lockPath: string, cause: unknown): StoreError {
  return new StoreError("cancelled", `waiting for ${lockPath} was cancelled`, { cause });
}
