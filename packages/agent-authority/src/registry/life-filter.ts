import type { AgentQuery } from "../schema/admin-requests.js";

/** The members of an entry that filters by time, origin and state look at. */
interface Filtered {
  readonly state: string;
  readonly created_at: string;
  readonly last_used_at?: string | undefined;
  readonly address?: string | undefined;
}

/** Returns whether an entry is one that was asked for, by all but whose it is. */
export function meets(
  entry: Filtered,
  { state, address, created_since, used_since, unused_since }: Omit<AgentQuery, "limit">,
): boolean {
  const { created_at, last_used_at } = entry;
  if (state !== undefined && entry.state !== state) return false;
  if (address !== undefined && entry.address !== address) return false;
  if (created_since !== undefined && created_at < created_since) return false;
  if (used_since !== undefined && (last_used_at ?? "") < used_since) return false;
  return unused_since === undefined || (last_used_at ?? created_at) < unused_since;
}
