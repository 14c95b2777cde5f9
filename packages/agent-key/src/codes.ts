/**
 * Every code of the protocol, in one vocabulary: errors, HTTP bodies, `WWW-Authenticate`, CLI JSON, audit log and metrics.
 *
 * @see docs/protocol.md §7
 */
export const CODES = [
  // Assertions, in the order of their checks.
  "missing",
  "malformed",
  "expired",
  "not_yet_valid",
  "unknown_agent",
  "bad_signature",
  "agent_revoked",
  "agent_expired",
  "unknown_task",
  "task_revoked",
  "task_expired",
  "forbidden",
  "binding_required",
  "binding_mismatch",
  "replayed",
  "upstream_refused",
  // Registration and transport.
  "unauthenticated",
  "biscuit_invalid",
  "invalid_request",
  "invalid_key",
  "rate_limited",
  "timeout",
  "unreachable",
  "bad_response",
  "refused",
  "server_error",
  "cancelled",
  // Stores.
  "store_corrupt",
  "store_locked",
  "store_denied",
  // Command line.
  "usage",
  "config_invalid",
  "unknown_feature",
  "not_logged_in",
  "no_identity",
  "address_in_use",
  "internal",
] as const;

/** One code of {@link CODES}. */
export type Code = (typeof CODES)[number];

const known: ReadonlySet<string> = new Set(CODES);

/** Tells whether a text, for instance the `code` of a foreign server's answer, is a code of this protocol. */
export function isCode(value: unknown): value is Code {
  return typeof value === "string" && known.has(value);
}
