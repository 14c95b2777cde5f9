import { AgentKey, isPrincipalId, StoreError } from "@countersign/agent-key";
import type { AgentIdentity } from "./agent-identity.js";
import { AgentIdentityError } from "./agent-identity-error.js";
import type { HumanAuth } from "./auth.js";
import type { CredentialStore, Credentials, UnreadableMember } from "./credential-store.js";
import { type Binding, entryOf, isEntryOf } from "./identity-index.js";
import type { StoredIdentity } from "./schema/credentials.js";
import { isWhole } from "./store/credentials-codec.js";

export type { Binding } from "./identity-index.js";

const UNKNOWN_TIME = "1970-01-01T00:00:00Z";
const TIMESTAMP = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z$/;

/**
 * The binding of a human at an authority.
 *
 * @throws {AgentIdentityError} `invalid_request` when account or user are no ids of protocol.md §3
 */
export function toBinding(authority: string, auth: HumanAuth): Binding {
  const { accountId, userId } = auth;
  for (const [name, id] of Object.entries({ account: accountId, user: userId })) {
    if (!isPrincipalId(id)) {
      throw new AgentIdentityError("invalid_request", `the ${name} of this login is no valid id`, {
        hint: "ids are 1 to 256 printable ASCII characters without space, quote, comma or backslash",
      });
    }
  }
  return { authority, accountId, userId };
}

/** Names a binding in maps and locks, without ambiguity. */
export function bindingKey({ authority, accountId, userId }: Binding): string {
  return JSON.stringify([authority, accountId, userId]);
}

/** Tells whether two bindings are the same. */
export function isSameBinding(one: Binding, other: Binding): boolean {
  return (
    one.authority === other.authority &&
    one.accountId === other.accountId &&
    one.userId === other.userId
  );
}

/**
 * Finds the stored identity of a binding.
 *
 * @throws {StoreError} `store_corrupt` when there is one that cannot be read: it is never taken for "none"
 */
export function findEntry(
  credentials: Credentials,
  binding: Binding,
  store: Pick<CredentialStore, "description">,
): StoredIdentity | undefined {
  const found = entryOf(credentials, binding);
  if (found !== undefined) return found;
  const broken = credentials.unreadable?.find(
    (member) => isWhole(member) || isUnreadableOf(member, binding),
  );
  if (broken !== undefined) {
    throw unreadableIdentity(store, broken.problem);
  }
  return undefined;
}

/** The content with this entry in place of whatever its binding had. */
export function withEntry(
  current: Credentials,
  binding: Binding,
  entry: StoredIdentity | undefined,
): Credentials {
  const others = current.identities.filter((other) => !isEntryOf(other, binding));
  return { ...current, identities: entry === undefined ? others : [...others, entry] };
}

/** Tells whether an unreadable member is an identity that claims this binding. */
export function isUnreadableOf(member: UnreadableMember, binding: Binding): boolean {
  return (
    member.member === "identities" &&
    member.authority === binding.authority &&
    member.accountId === binding.accountId &&
    member.userId === binding.userId
  );
}

/**
 * Reads the key of a stored identity.
 *
 * @throws {StoreError} `store_corrupt`
 */
export function importEntryKey(
  entry: StoredIdentity,
  store: Pick<CredentialStore, "description">,
): AgentKey {
  try {
    return AgentKey.importPkcs8(entry.private_key);
  } catch (cause) {
    throw unreadableIdentity(store, "its private key is none", cause);
  }
}

/**
 * Reads the key that takes over in a rotation.
 *
 * @throws {StoreError} `store_corrupt`
 */
export function importNextKey(
  privateKey: string,
  store: Pick<CredentialStore, "description">,
): AgentKey {
  try {
    return AgentKey.importPkcs8(privateKey);
  } catch (cause) {
    throw unreadableIdentity(store, "the key of its unfinished rotation is none", cause);
  }
}

/** The entry as it is without a rotation on its way. */
export function withoutNextKey(entry: StoredIdentity): StoredIdentity {
  const { next_private_key: _, compromised: __, ...rest } = entry;
  return rest as StoredIdentity;
}

/** The identity of a registered entry; `undefined`: it is pending. */
export function toIdentity(entry: StoredIdentity, key: AgentKey): AgentIdentity | undefined {
  if (entry.state !== "registered" || entry.agent_runtime_id === undefined) return undefined;
  const time = entry.registered_at;
  return {
    authority: entry.authority,
    accountId: entry.account_id,
    userId: entry.user_id,
    agentRuntimeId: entry.agent_runtime_id,
    key,
    registeredAt: time !== undefined && TIMESTAMP.test(time) ? time : UNKNOWN_TIME,
  };
}

function unreadableIdentity(
  store: Pick<CredentialStore, "description">,
  problem: string,
  cause?: unknown,
): StoreError {
  return new StoreError(
    "store_corrupt",
    `the identity of this login in ${store.description} cannot be read: ${problem}`,
    {
      cause,
      hint: "restore it from a backup; forget this identity only if there is none, for its key is then lost",
    },
  );
}
