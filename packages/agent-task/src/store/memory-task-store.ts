import { Mutex } from "../internal/mutex.js";
import type { StoredThread } from "../schema/stored-thread.js";
import type { CompleteTaskStore } from "./task-store.js";

/**
 * Keeps threads for the life of this process. Managers that share the store share its threads and locks. `waitMs` of a lock has no meaning here: no
 * other process can hold it.
 */
export function memoryTaskStore(): CompleteTaskStore {
  const threads = new Map<string, StoredThread>();
  const locks = new Map<string, Mutex>();
  return {
    load: async (scope) => structuredClone(threads.get(scope)),
    save: async (scope, thread) => {
      threads.set(scope, structuredClone(thread));
    },
    list: async () => structuredClone([...threads.values()]),
    remove: async (scope) => threads.delete(scope),
    async withLock(scope, run, options) {
      const lock = locks.get(scope) ?? new Mutex();
      locks.set(scope, lock);
      try {
        return await lock.run(() => run(), options?.signal);
      } finally {
        if (lock.idle) locks.delete(scope);
      }
    },
    isLocked: async (scope) => locks.has(scope),
  };
}
