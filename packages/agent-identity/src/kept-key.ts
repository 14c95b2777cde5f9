import { AgentKey } from "@countersign/agent-key";
import { AuthorityError } from "./authority-error.js";
import { type Binding, findEntry, importEntryKey, withEntry } from "./binding.js";
import type { CredentialStore } from "./credential-store.js";
import type { StoredIdentity } from "./schema/credentials.js";

/** A key that is in the store and may be registered. */
export interface KeptKey {
  readonly entry: StoredIdentity;
  /** What stood in its place before this turn put it there. Absent: it was there already, and the authority may know it. */
  readonly before?: { readonly entry: StoredIdentity | undefined } | undefined;
}

/**
 * Puts a key into the store before the authority hears of it, so that neither a crash nor a lost answer orphans an agent. A key that is
 * there already is taken instead, unless it is the one to be replaced.
 */
export async function keepKey(
  store: CredentialStore,
  binding: Binding,
  replaced: AgentKey | undefined,
  signal: AbortSignal,
): Promise<KeptKey> {
  const fresh: StoredIdentity = {
    authority: binding.authority,
    account_id: binding.accountId,
    user_id: binding.userId,
    private_key: AgentKey.generate().exportPkcs8(),
    state: "pending",
  };
  let kept: KeptKey = { entry: fresh };
  await store.update(
    (current) => {
      const entry = findEntry(current, binding, store);
      if (entry !== undefined) {
        const { publicKey } = importEntryKey(entry, store);
        if (replaced?.publicKey.equals(publicKey) !== true) {
          kept = { entry };
          return undefined;
        }
      }
      kept = { entry: fresh, before: { entry } };
      return withEntry(current, binding, fresh);
    },
    { signal },
  );
  return kept;
}

/** Puts the store back as it was before a key that the authority plainly refused. */
export async function takeBackKey(
  store: CredentialStore,
  binding: Binding,
  { entry, before }: KeptKey,
): Promise<void> {
  try {
    await store.update((current) => {
      const isStill = findEntry(current, binding, store)?.private_key === entry.private_key;
      return isStill ? withEntry(current, binding, before?.entry) : undefined;
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
