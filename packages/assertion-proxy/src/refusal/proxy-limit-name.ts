/** The limits because of which a proxy refuses a request or closes a connection, as figures name them. */
export const LIMIT_NAMES = [
  "requests",
  "requests_per_connection",
  "requests_per_account",
  "requests_per_agent",
  "held_bytes",
  "unverified",
  "unverified_per_address",
  "lookups",
  "lookups_per_address",
  "unknown_per_address",
  "connections",
  "connections_per_address",
] as const;

/** One of {@link LIMIT_NAMES}. */
export type LimitName = (typeof LIMIT_NAMES)[number];
