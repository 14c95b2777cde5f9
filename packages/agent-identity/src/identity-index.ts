import type { Credentials } from "./credential-store.js";
import type { StoredIdentity } from "./schema/credentials.js";
import { isFrozenCredentials } from "./store/frozen-credentials.js";

/** Whose an identity is: one user in one account of one authority. */
export interface IdentityOwner {
  readonly authority: string;
  readonly accountId: string;
  readonly userId: string;
}

const indexes = new WeakMap<Credentials, ReadonlyMap<string, StoredIdentity>>();

/**
 * The entry of an owner. A registered entry comes before others. A frozen content is indexed once, so that the cost does not grow with the
 * number of its identities.
 */
export function entryOf(
  credentials: Credentials,
  owner: IdentityOwner,
): StoredIdentity | undefined {
  if (!isFrozenCredentials(credentials)) {
    const mine = credentials.identities.filter((entry) => isEntryOf(entry, owner));
    return mine.find(({ state }) => state === "registered") ?? mine[0];
  }
  let index = indexes.get(credentials);
  if (index === undefined) {
    index = indexOf(credentials.identities);
    indexes.set(credentials, index);
  }
  return index.get(nameOf(owner));
}

/** Whether an entry is this owner's. */
export function isEntryOf(entry: StoredIdentity, owner: IdentityOwner): boolean {
  return (
    entry.authority === owner.authority &&
    entry.account_id === owner.accountId &&
    entry.user_id === owner.userId
  );
}

function indexOf(identities: readonly StoredIdentity[]): ReadonlyMap<string, StoredIdentity> {
  const index = new Map<string, StoredIdentity>();
  for (const entry of identities) {
    const { authority, account_id: accountId, user_id: userId, state } = entry;
    const name = nameOf({ authority, accountId, userId });
    const found = index.get(name);
    const isBetter = state === "registered" && found?.state !== "registered";
    if (found === undefined || isBetter) index.set(name, entry);
  }
  return index;
}

// Ids hold no space (docs/protocol.md §3), so this joins without ambiguity.
function nameOf({ authority, accountId, userId }: IdentityOwner): string {
  return `${accountId} ${userId} ${authority}`;
}
