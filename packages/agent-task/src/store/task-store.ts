import type { StoredThread } from "../schema/stored-thread.js";

/** Options of {@link TaskStore.withLock}. */
export interface TaskLockOptions {
  /**
   * How long to wait for another process that holds the lock, in milliseconds, from 0. Default: the store's own. Callers of one process wait in line for each
   * other, as long as their signals let them.
   */
  readonly waitMs?: number | undefined;
  /** Ends the waiting; the call then rejects. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Keeps the tasks of threads. `load` and `save` are enough, for instance over a harness's own session log; the other members make more
 * possible.
 */
export interface TaskStore {
  /** The thread as it was saved last; `undefined`: it never was. Rejects when it cannot be read: that is never taken for absent. */
  load(scope: string): Promise<StoredThread | undefined>;
  /** Saves a thread as a whole. */
  save(scope: string, thread: StoredThread): Promise<void>;
  /** Every stored thread. */
  list?(): Promise<StoredThread[]>;
  /** Removes a thread. @returns whether there was one */
  remove?(scope: string): Promise<boolean>;
  /**
   * Runs while holding the lock of one scope, across everything that shares the store. Without this member only callers of one manager
   * wait for each other.
   *
   * @param run - its argument, where given, is aborted when the lock was lost
   */
  withLock?<T>(
    scope: string,
    run: (held?: AbortSignal) => Promise<T>,
    options?: TaskLockOptions,
  ): Promise<T>;
  /**
   * Whether the lock of a scope is held, or was left by a process that was killed. With this member a stored thread that nothing changes is
   * read without taking its lock; without it, it is read under its lock.
   */
  isLocked?(scope: string): Promise<boolean>;
}

/** A {@link TaskStore} with all its members. */
export type CompleteTaskStore = Required<TaskStore>;
