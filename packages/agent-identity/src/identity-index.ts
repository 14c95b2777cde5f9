import type { Credentials } from "./credential-store.js";
import type { StoredIdentity } from "./schema/credentials.js";
import { isFrozenCredentials } from "./store/frozen-credentials.js";

/** What a key is made for: one user in one account of one authority. */
export interface Binding {
  readonly authority: string;
  readonly accountId: string;
  readonly userId: string;
}

const indexes = new WeakMap<Credentials, ReadonlyMap<string, StoredIdentity>>();

/**
 * The entry of a binding, a registered one before others. A frozen content is indexed once, so that the cost does not grow with its number of
 * identities.
 */
export function entryOf(credentials: Credentials, binding: Binding): StoredIdentity | undefined {
  if (!isFrozenCredentials(credentials)) {
    const mine = credentials.identities.filter((entry) => isEntryOf(entry, binding));
    return mine.find(({ state }) => state === "registered") ?? mine[0];
  }
  let index = indexes.get(credentials);
  if (index === undefined) {
    index = indexOf(credentials.identities);
    indexes.set(credentials, index);
  }
  return index.get(nameOf(binding));
}

/** Tells whether an entry is one of this binding. */
export function isEntryOf(entry: StoredIdentity, binding: Binding): boolean {
  return (
    entry.authority === binding.authority &&
    entry.account_id === binding.accountId &&
    entry.user_id === binding.userId
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
function nameOf({ authority, accountId, userId }: Binding): string {
  return `${accountId} ${userId} ${authority}`;
}
