import type { AgentSigner } from "@countersign/agent-key";
import type { AgentKeys } from "./agent-keys.js";
import { AuthorityError } from "./authority-error.js";
import type { CredentialStore } from "./credential-store.js";
import { isSameEntryKey } from "./entry-key.js";
import { findEntry, type IdentityOwner, withEntry } from "./identity-owner.js";
import type { StoredIdentity } from "./schema/credentials.js";

/** A key that is in the store and may be registered. */
export interface KeptKey {
  readonly entry: StoredIdentity;
  /** What stood in its place before this turn put it there. Absent: it was there already, and the authority may know it. */
  readonly before?: { readonly entry: StoredIdentity | undefined } | undefined;
}

/**
 * Stores a key before it is sent to the authority, so that neither a crash nor a lost answer leaves an agent without its key. If the store
 * already has a key, that key is used instead, unless it is the key to be replaced.
 */
export async function keepKey(
  { store, keys }: { readonly store: CredentialStore; readonly keys: AgentKeys },
  owner: IdentityOwner,
  replaced: AgentSigner | undefined,
  signal: AbortSignal,
): Promise<KeptKey> {
  const fresh: StoredIdentity = {
    authority: owner.authority,
    account_id: owner.accountId,
    user_id: owner.userId,
    ...keys.fresh(),
    state: "pending",
  };
  let kept: KeptKey = { entry: fresh };
  await store.update(
    (current) => {
      const entry = findEntry(current, owner, store);
      if (entry !== undefined) {
        const { publicKey } = keys.keyOf(entry);
        if (replaced?.publicKey.equals(publicKey) !== true) {
          kept = { entry };
          return undefined;
        }
      }
      kept = { entry: fresh, before: { entry } };
      return withEntry(current, owner, fresh);
    },
    { signal },
  );
  return kept;
}

/** Puts the store back as it was before a key that the authority plainly refused. */
export async function takeBackKey(
  store: CredentialStore,
  owner: IdentityOwner,
  { entry, before }: KeptKey,
): Promise<void> {
  try {
    await store.update((current) => {
      const isStill = isSameEntryKey(findEntry(current, owner, store), entry);
      return isStill ? withEntry(current, owner, before?.entry) : undefined;
    });
  } catch {
    // The refusal says more than a store that cannot be written. A key that stays is pending, and taken up by the next registration.
  }
}

/** A 4xx that is not to be tried again: the authority answered, and changed nothing. */
export function isPlainRefusal(error: unknown): boolean {
  if (!AuthorityError.is(error) || error.retryable || error.status === undefined) return false;
  return error.status >= 400 && error.status < 500;
}
