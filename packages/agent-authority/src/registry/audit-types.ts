import type { Code } from "@countersign/agent-key";

/** The changes that the audit log records. */
export const AUDITED_CHANGES = [
  "access_token_created",
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
  "key_rotation",
  "biscuit",
  "whoami",
  "directory",
  "introspection",
  "admin",
] as const;

/** One of {@link AUDITED_CHANGES}. */
export type AuditedChange = (typeof AUDITED_CHANGES)[number];

/** One of {@link AUDITED_REQUESTS}. */
export type AuditedRequest = (typeof AUDITED_REQUESTS)[number];

/** What an audit event tells of: a change, or a request that was refused. */
export type AuditAction = AuditedChange | AuditedRequest;

/** One line of the audit log. */
export interface AuditEvent {
  /** Grows with each event. */
  readonly sequence: number;
  /** RFC 3339. */
  readonly at: string;
  readonly action: AuditAction;
  /** Why a request was refused; `undefined` for a change. */
  readonly code: Code | undefined;
  /** Who did it: `token:<id>`, `oidc:<issuer>`, `agent:<id>`, `admin:<token id>`, `operator`; `undefined` where nobody proved to be anyone. */
  readonly actor: string | undefined;
  /** The address that the request came from. */
  readonly address: string | undefined;
  readonly requestId: string | undefined;
  readonly accountId: string | undefined;
  readonly userId: string | undefined;
  readonly agentRuntimeId: string | undefined;
  /** The agent that a refused request named without proof. */
  readonly claimedAgentRuntimeId: string | undefined;
  readonly taskId: string | undefined;
  readonly accessTokenId: string | undefined;
}

/** Narrows `Registry.listAuditEvents`: what is given must all be met. */
export interface AuditFilter {
  /** Only events with a greater `sequence`. Default 0. */
  readonly after?: number | undefined;
  /** Number of events, the oldest ones. Range 1 to 10,000. Default 1,000. */
  readonly limit?: number | undefined;
  /** Number of events, the newest ones, instead of `limit`; still oldest first. Range 1 to 10,000. */
  readonly last?: number | undefined;
  readonly action?: AuditAction | undefined;
  /** Only refusals with this code. */
  readonly code?: Code | undefined;
  readonly accountId?: string | undefined;
  /** Events about this agent, also refusals of requests that only named it. */
  readonly agentRuntimeId?: string | undefined;
}
