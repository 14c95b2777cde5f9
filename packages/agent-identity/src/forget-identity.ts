import type { AgentIdentity } from "./agent-identity.js";
import type { CredentialStore } from "./credential-store.js";
import { type IdentityOwner, isUnreadableOf, withEntry } from "./identity-owner.js";
import { lockName } from "./run-alone.js";

/**
 * Removes what a store has for an owner, readable or not. Waits until no registration for the owner is under way.
 *
 * @param expected - removes only an entry that is this agent with this id
 * @returns whether there was something to remove
 */
export async function forgetIdentity(
  store: CredentialStore,
  owner: IdentityOwner,
  expected: AgentIdentity | undefined,
): Promise<boolean> {
  return await store.withLock(lockName(owner), async () => {
    let isFound = false;
    await store.update((current) => {
      const without = withEntry(current, owner, undefined);
      const removed = current.identities.filter((entry) => !without.identities.includes(entry));
      if (expected !== undefined) {
        isFound = removed.some((entry) => entry.agent_runtime_id === expected.agentRuntimeId);
        return isFound ? without : undefined;
      }
      const unreadable = current.unreadable?.filter((member) => !isUnreadableOf(member, owner));
      isFound = removed.length > 0 || unreadable?.length !== current.unreadable?.length;
      return isFound ? { ...without, unreadable } : undefined;
    });
    return isFound;
  });
}
