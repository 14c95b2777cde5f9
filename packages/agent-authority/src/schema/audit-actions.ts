/** The changes that the audit log records. */
export const AUDITED_CHANGES = [
  "access_token_created",
  "access_token_rotated",
  "access_token_revoked",
  "account_revoked",
  "account_restored",
  "user_revoked",
  "user_restored",
  "biscuit_issued",
  "agent_registered",
  "agent_renewed",
  "agent_proven",
  "agent_key_rotated",
  "agent_former_key_ended",
  "agent_revoked",
  "agent_restored",
  "identity_issued",
  "signing_key_created",
  "signing_key_retired",
  "task_registered",
  "task_revoked",
  "task_restored",
] as const;

/** The requests whose refusals the audit log records. */
export const AUDITED_REQUESTS = [
  "agent_registration",
  "agent_revocation",
  "task_registration",
  "task_revocation",
  "key_rotation",
  "biscuit",
  "whoami",
  "directory",
  "introspection",
  "admin",
] as const;

/** The kinds of events. */
export const AUDITED_KINDS = ["changes", "refusals"] as const;

/** One of {@link AUDITED_CHANGES}. */
export type AuditedChange = (typeof AUDITED_CHANGES)[number];

/** One of {@link AUDITED_REQUESTS}. */
export type AuditedRequest = (typeof AUDITED_REQUESTS)[number];

/** What an audit event records: a change, or a refused request. */
export type AuditAction = AuditedChange | AuditedRequest;
