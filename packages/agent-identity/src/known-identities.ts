import type { AgentSigner } from "@countersign/agent-key";
import type { AgentIdentity } from "./agent-identity.js";
import type { AgentKeys } from "./agent-keys.js";
import { ownerKey, toIdentity } from "./identity-owner.js";
import type { StoredIdentity } from "./schema/credentials.js";

/** The identities of stored entries: equal entries give the same object, and a key is imported once. */
export class KnownIdentities {
  readonly #keys: AgentKeys;
  readonly #known = new Map<string, { keyName: string; identity: AgentIdentity }>();

  constructor(keys: AgentKeys) {
    this.#keys = keys;
  }

  /** @returns `undefined` if the entry is pending. @throws as `AgentKeys.keyOf` */
  of(entry: StoredIdentity): AgentIdentity | undefined {
    if (entry.state !== "registered") return undefined;
    const owner = ownerKey({
      authority: entry.authority,
      accountId: entry.account_id,
      userId: entry.user_id,
    });
    const known = this.#known.get(owner);
    const keyName = nameOf(entry);
    const isSameKey = known?.keyName === keyName;
    const key: AgentSigner = isSameKey ? known.identity.key : this.#keys.keyOf(entry);
    const identity = toIdentity(entry, key);
    if (identity === undefined) return undefined;
    if (isSameKey && isSameIdentity(known.identity, identity)) return known.identity;
    this.#known.set(owner, { keyName, identity });
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

// None of them holds a space, but for the one of a public line.
function nameOf({ private_key, public_key, idempotency_secret }: StoredIdentity): string {
  return private_key ?? `${public_key} ${idempotency_secret}`;
}
