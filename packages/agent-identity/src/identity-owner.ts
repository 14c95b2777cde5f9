import { type AgentSigner, isPrincipalId, StoreError } from "@countersign/agent-key";
import type { AgentIdentity } from "./agent-identity.js";
import { AgentIdentityError } from "./agent-identity-error.js";
import type { HumanAuth } from "./auth.js";
import type { CredentialStore, Credentials, UnreadableMember } from "./credential-store.js";
import { entryOf, type IdentityOwner, isEntryOf } from "./identity-index.js";
import type { StoredIdentity } from "./schema/credentials.js";
import { isWhole } from "./store/credentials-codec.js";

export type { IdentityOwner } from "./identity-index.js";

const UNKNOWN_TIME = "1970-01-01T00:00:00Z";
const TIMESTAMP = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z$/;

/**
 * The owner that a human's login names at an authority.
 *
 * @throws {AgentIdentityError} `invalid_request` if the account or the user is not a valid id (protocol.md §3)
 */
export function toIdentityOwner(authority: string, auth: HumanAuth): IdentityOwner {
  const { accountId, userId } = auth;
  for (const [name, id] of Object.entries({ account: accountId, user: userId })) {
    if (!isPrincipalId(id)) {
      throw new AgentIdentityError(
        "invalid_request",
        `the ${name} of this login is not a valid id`,
        {
          hint: "ids are 1 to 256 printable ASCII characters without space, quote, comma or backslash",
        },
      );
    }
  }
  return { authority, accountId, userId };
}

/** Names an owner in maps and locks. Two owners never have the same name. */
export function ownerKey({ authority, accountId, userId }: IdentityOwner): string {
  return JSON.stringify([authority, accountId, userId]);
}

/** Whether two owners are the same. */
export function isSameOwner(one: IdentityOwner, other: IdentityOwner): boolean {
  return (
    one.authority === other.authority &&
    one.accountId === other.accountId &&
    one.userId === other.userId
  );
}

/**
 * Finds the stored identity of an owner.
 *
 * @throws {StoreError} `store_corrupt` if the store has one that cannot be read: it never counts as "no identity"
 */
export function findEntry(
  credentials: Credentials,
  owner: IdentityOwner,
  store: Pick<CredentialStore, "description">,
): StoredIdentity | undefined {
  const found = entryOf(credentials, owner);
  if (found !== undefined) return found;
  const broken = credentials.unreadable?.find(
    (member) => isWhole(member) || isUnreadableOf(member, owner),
  );
  if (broken !== undefined) {
    throw unreadableIdentity(store, broken.problem);
  }
  return undefined;
}

/** The content with this entry in place of the owner's previous entries. `undefined` removes them. */
export function withEntry(
  current: Credentials,
  owner: IdentityOwner,
  entry: StoredIdentity | undefined,
): Credentials {
  const others = current.identities.filter((other) => !isEntryOf(other, owner));
  return { ...current, identities: entry === undefined ? others : [...others, entry] };
}

/** Whether an unreadable member is an identity that claims this owner. */
export function isUnreadableOf(member: UnreadableMember, owner: IdentityOwner): boolean {
  return (
    member.member === "identities" &&
    member.authority === owner.authority &&
    member.accountId === owner.accountId &&
    member.userId === owner.userId
  );
}

/** The identity of a registered entry; `undefined`: it is pending. */
export function toIdentity(entry: StoredIdentity, key: AgentSigner): AgentIdentity | undefined {
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

/** The error for an identity that is stored and cannot be read. */
export function unreadableIdentity(
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
