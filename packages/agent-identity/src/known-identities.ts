import type { AgentIdentity } from "./agent-identity.js";
import type { CredentialStore } from "./credential-store.js";
import { importEntryKey, ownerKey, toIdentity } from "./identity-owner.js";
import type { StoredIdentity } from "./schema/credentials.js";

/** The identities of stored entries: equal entries give the same object, and a key is imported once. */
export class KnownIdentities {
  readonly #store: CredentialStore;
  readonly #known = new Map<string, { privateKey: string; identity: AgentIdentity }>();

  constructor(store: CredentialStore) {
    this.#store = store;
  }

  /** @returns `undefined` if the entry is pending. @throws {StoreError} `store_corrupt` if its key is not valid */
  of(entry: StoredIdentity): AgentIdentity | undefined {
    if (entry.state !== "registered") return undefined;
    const owner = ownerKey({
      authority: entry.authority,
      accountId: entry.account_id,
      userId: entry.user_id,
    });
    const known = this.#known.get(owner);
    const isSameKey = known?.privateKey === entry.private_key;
    const key = isSameKey ? known.identity.key : importEntryKey(entry, this.#store);
    const identity = toIdentity(entry, key);
    if (identity === undefined) return undefined;
    if (isSameKey && isSameIdentity(known.identity, identity)) return known.identity;
    this.#known.set(owner, { privateKey: entry.private_key, identity });
    return identity;
  }
}

/** Whether two identities are one registration: same agent, same key, same time. */
export function isSameIdentity(one: AgentIdentity, other: AgentIdentity): boolean {
  return (
    one.agentRuntimeId === other.agentRuntimeId &&
    one.registeredAt === other.registeredAt &&
    one.key.publicKey.equals(other.key.publicKey)
  );
}
