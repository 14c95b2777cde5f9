import type { Code } from "@countersign/agent-key";
import type { AuditAction } from "../schema/audit-actions.js";

/** One line of the audit log. */
export interface AuditEvent {
  /** Grows with each event. */
  readonly sequence: number;
  /** RFC 3339. */
  readonly at: string;
  readonly action: AuditAction;
  /** Why a request was refused; `undefined` for a change. */
  readonly code?: Code | undefined;
  /** Who did it: `token:<id>`, `oidc:<issuer>`, `agent:<id>`, `admin:<token id>`, `operator:<user>@<host>`, `operator`; `admin` or `token` alone for a token that is for more accounts than the reader's; `undefined` if no credential or signature was valid. */
  readonly actor?: string | undefined;
  /** The name of the token that did it. */
  readonly actorName?: string | undefined;
  /** The address that the request came from. */
  readonly address?: string | undefined;
  readonly requestId?: string | undefined;
  readonly accountId?: string | undefined;
  readonly userId?: string | undefined;
  readonly agentRuntimeId?: string | undefined;
  /** The agent that a refused request named without proof. */
  readonly claimedAgentRuntimeId?: string | undefined;
  readonly taskId?: string | undefined;
  readonly accessTokenId?: string | undefined;
  /** Why an operator revoked or restored it, as it was given. */
  readonly reason?: string | undefined;
}

/** Narrows `Registry.listAuditEvents`: what is given must all be met. */
export interface AuditFilter {
  /** Only events with a greater `sequence`. Default 0. */
  readonly after?: number | undefined;
  /** Number of events, the oldest ones. Range 1 to 10,000. Default 1,000. */
  readonly limit?: number | undefined;
  /** Number of events, the newest ones, instead of `limit`; still oldest first. Range 1 to 10,000. */
  readonly last?: number | undefined;
  /** Only events with a smaller `sequence`. With `last`, it reads the log backwards. From 1. */
  readonly before?: number | undefined;
  /** Only events at this time or later. RFC 3339, UTC, whole seconds. */
  readonly since?: string | undefined;
  /** Only events before this time. RFC 3339, UTC, whole seconds. */
  readonly until?: string | undefined;
  readonly action?: AuditAction | undefined;
  /** Only refusals with this code. */
  readonly code?: Code | undefined;
  /** Only changes that were made, or only requests that were refused. */
  readonly only?: "changes" | "refusals" | undefined;
  readonly accountId?: string | undefined;
  readonly userId?: string | undefined;
  readonly taskId?: string | undefined;
  /** Only requests from this address. */
  readonly address?: string | undefined;
  /** Only what this actor did, as {@link AuditEvent.actor} names it. */
  readonly actor?: string | undefined;
  readonly requestId?: string | undefined;
  /** Events about this agent, also refusals of requests that only named it. */
  readonly agentRuntimeId?: string | undefined;
}
