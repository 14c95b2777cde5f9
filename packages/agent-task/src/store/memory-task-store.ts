import { KeyedMutex } from "@countersign/agent-key";
import { checkOptions, LOCK_PATIENCE } from "../internal/options.js";
import type { StoredThread } from "../schema/stored-thread.js";
import type { CompleteTaskStore } from "./task-store.js";

/**
 * Keeps threads for the life of this process. Managers that share the store share its threads and locks. `waitMs` of a lock has no meaning here: no
 * other process can hold it.
 */
export function memoryTaskStore(): CompleteTaskStore {
  const threads = new Map<string, StoredThread>();
  const locks = new KeyedMutex();
  return {
    load: async (scope) => structuredClone(threads.get(scope)),
    save: async (scope, thread) => {
      threads.set(scope, structuredClone(thread));
    },
    list: async () => structuredClone([...threads.values()]),
    remove: async (scope) => threads.delete(scope),
    async withLock(scope, run, options = {}) {
      checkOptions(options, LOCK_PATIENCE);
      return await locks.run(scope, () => run(), options.signal);
    },
    isLocked: async (scope) => locks.isHeld(scope),
  };
}
