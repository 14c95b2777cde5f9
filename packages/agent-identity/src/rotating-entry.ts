import { type EntryKey, nextKeyOf } from "./entry-key.js";
import type { StoredIdentity } from "./schema/credentials.js";

/** A registered entry with the key that takes over. */
export interface RotatingEntry {
  readonly entry: StoredIdentity & { readonly agent_runtime_id: string };
  readonly nextKey: EntryKey;
  /** Whether the authority may know the next key already. */
  readonly mayBeKnown: boolean;
}

/** The entry as one whose rotation is on its way; `undefined`: it is not registered, or has no next key. */
export function toRotatingEntry(
  entry: StoredIdentity,
  mayBeKnown = true,
): RotatingEntry | undefined {
  const { agent_runtime_id, state } = entry;
  const nextKey = nextKeyOf(entry);
  if (state !== "registered" || agent_runtime_id === undefined) return undefined;
  if (nextKey === undefined) return undefined;
  return { entry: { ...entry, agent_runtime_id }, nextKey, mayBeKnown };
}
