import type { StoredIdentity } from "./schema/credentials.js";

/** How a stored identity names a key: by the private key itself, or by the public line of one that is kept elsewhere. */
export type EntryKey =
  | { readonly private_key: string; readonly public_key?: undefined }
  | { readonly private_key?: undefined; readonly public_key: string };

type KeyMembers = Pick<StoredIdentity, "private_key" | "public_key">;

/** The key of an entry. `undefined`: it names none, which no store of this package gives. */
export function entryKeyOf({ private_key, public_key }: KeyMembers): EntryKey | undefined {
  if (private_key !== undefined) return { private_key };
  return public_key === undefined ? undefined : { public_key };
}

/**
 * The key that takes over in the rotation of an entry. `undefined`: none is on its way. A private key in the store never takes over from a key
 * that is kept elsewhere: only a manager without the current key can have put it there, so no authority was sent it.
 */
export function nextKeyOf({
  public_key,
  next_private_key,
  next_public_key,
}: Pick<StoredIdentity, "public_key" | "next_private_key" | "next_public_key">):
  | EntryKey
  | undefined {
  if (public_key !== undefined && next_private_key !== undefined) return undefined;
  return entryKeyOf({ private_key: next_private_key, public_key: next_public_key });
}

/** Whether two entries name the same key in the same way. */
export function isSameEntryKey(one: KeyMembers | undefined, other: KeyMembers): boolean {
  return one?.private_key === other.private_key && one?.public_key === other.public_key;
}

/** The entry with another key, and without a rotation on its way. */
export function withEntryKey(entry: StoredIdentity, key: EntryKey): StoredIdentity {
  const { private_key: _, public_key: __, ...rest } = withoutNextKey(entry);
  return { ...rest, ...key } as StoredIdentity;
}

/** The entry with the key that takes over, in the place of another one. */
export function withNextKey(entry: StoredIdentity, key: EntryKey): StoredIdentity {
  const rest = withoutNextKey(entry);
  return key.private_key === undefined
    ? { ...rest, next_public_key: key.public_key }
    : { ...rest, next_private_key: key.private_key };
}

/** The entry as it is without a rotation on its way. */
export function withoutNextKey(entry: StoredIdentity): StoredIdentity {
  const { next_private_key: _, next_public_key: __, compromised: ___, ...rest } = entry;
  return rest as StoredIdentity;
}
