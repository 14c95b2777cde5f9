import { KeyedMutex, StoreError } from "@countersign/agent-key";
import type { CredentialStore, Credentials } from "../credential-store.js";
import { emptyCredentials } from "./credentials-codec.js";
import { freezeCredentials } from "./frozen-credentials.js";
import { guardCredentials } from "./guard-credentials.js";

/**
 * Keeps everything in this object alone, for tests and for agents that register again with every process. What `load` returns is frozen, and the
 * same object until the next change.
 */
export function memoryStore(): CredentialStore {
  let held = freezeCredentials(copyOf(emptyCredentials()));
  const updates = new KeyedMutex();
  const locks = new KeyedMutex();
  return {
    description: "memory",
    async load() {
      return held;
    },
    update(change, { signal } = {}) {
      const task = async () => {
        const next = change(copyOf(held));
        if (next !== undefined) held = freezeCredentials(copyOf(next));
        return copyOf(held);
      };
      return updates.run("", task, signal, cancelled);
    },
    withLock(name, run, { signal } = {}) {
      return locks.run(name, () => run(), signal, cancelled);
    },
  };
}

function copyOf(credentials: Credentials): Credentials {
  return guardCredentials(structuredClone(credentials));
}

function cancelled(cause: unknown): StoreError {
  return new StoreError("cancelled", "waiting for the store was cancelled", { cause });
}
