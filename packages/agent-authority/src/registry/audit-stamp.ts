import { escapeText } from "@countersign/agent-key/escaping";
import { hideCredentials } from "@countersign/agent-key/redaction";
import { AgentAuthorityError } from "../agent-authority-error.js";
import { MAX_REASON } from "../schema/admin-requests.js";
import { type Instant, instantOf } from "./times.js";

/** Who caused an event, from where, and in which request. The audit log records it with the event. */
export interface AuditOrigin {
  /**
   * `token:<id>` or `oidc:<issuer>` for a human, `agent:<id>` for a valid signature, `admin:<token id>` for a caller of the admin API,
   * `operator` for a program that opened the database itself, `operator:<user>@<host>` for a command of that user.
   */
  readonly actor?: string | undefined;
  /** The name of the token that acts, where it has one. */
  readonly actorName?: string | undefined;
  /** The address that the request came from. */
  readonly address?: string | undefined;
  readonly requestId?: string | undefined;
}

/** When an event happens and who causes it, as the audit log records it. Life times are judged at the same instant. */
export interface AuditStamp extends Instant {
  readonly origin: AuditOrigin;
  /** Why an operator does it, as the audit log records it. */
  readonly reason?: string | undefined;
}

/** Reads the clock once, for an event of this origin. */
export function stampOf(now: () => number, origin: AuditOrigin): AuditStamp {
  return { ...instantOf(now), origin };
}

/** Returns the same stamp with its actor, once that is known. */
export function actedBy(
  stamp: AuditStamp,
  { actor, actorName }: Pick<AuditOrigin, "actor" | "actorName">,
): AuditStamp {
  return { ...stamp, origin: { ...stamp.origin, actor, actorName } };
}

/**
 * Returns the same stamp with the reason that an operator gave: without credentials, and on one line.
 *
 * @throws {AgentAuthorityError} `invalid_request` if it is empty or longer than {@link MAX_REASON}
 */
export function because(stamp: AuditStamp, reason: string | undefined): AuditStamp {
  if (reason === undefined) return stamp;
  if (reason.length === 0 || reason.length > MAX_REASON) {
    throw new AgentAuthorityError("invalid_request", "the reason is not allowed", {
      hint: `use 1 to ${MAX_REASON} characters`,
    });
  }
  return { ...stamp, reason: escapeText(hideCredentials(reason)) };
}
