import type { StoredIdentity } from "./schema/credentials.js";

/** A registered entry with the key that takes over. */
export interface RotatingEntry {
  readonly entry: StoredIdentity & { readonly agent_runtime_id: string };
  readonly nextPrivateKey: string;
  /** Whether the authority may know the next key already. */
  readonly mayBeKnown: boolean;
}

/** The entry as one whose rotation is on its way; `undefined`: it is not registered, or has no next key. */
export function toRotatingEntry(
  entry: StoredIdentity,
  mayBeKnown = true,
): RotatingEntry | undefined {
  const { agent_runtime_id, next_private_key, state } = entry;
  if (state !== "registered" || agent_runtime_id === undefined) return undefined;
  if (next_private_key === undefined) return undefined;
  return { entry: { ...entry, agent_runtime_id }, nextPrivateKey: next_private_key, mayBeKnown };
}
