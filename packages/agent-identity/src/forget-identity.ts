import type { AgentIdentity } from "./agent-identity.js";
import { type Binding, isUnreadableOf, withEntry } from "./binding.js";
import type { CredentialStore } from "./credential-store.js";
import { lockName } from "./run-alone.js";

/**
 * Removes what a store has for a binding, readable or not, once no registration for it is under way.
 *
 * @param expected - removes only an entry that is this agent with this id
 * @returns whether there was something to remove
 */
export async function forgetIdentity(
  store: CredentialStore,
  binding: Binding,
  expected: AgentIdentity | undefined,
): Promise<boolean> {
  return await store.withLock(lockName(binding), async () => {
    let isFound = false;
    await store.update((current) => {
      const without = withEntry(current, binding, undefined);
      const removed = current.identities.filter((entry) => !without.identities.includes(entry));
      if (expected !== undefined) {
        isFound = removed.some((entry) => entry.agent_runtime_id === expected.agentRuntimeId);
        return isFound ? without : undefined;
      }
      const unreadable = current.unreadable?.filter((member) => !isUnreadableOf(member, binding));
      isFound = removed.length > 0 || unreadable?.length !== current.unreadable?.length;
      return isFound ? { ...without, unreadable } : undefined;
    });
    return isFound;
  });
}
