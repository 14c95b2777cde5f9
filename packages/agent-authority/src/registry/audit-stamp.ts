import { type Instant, instantOf } from "./times.js";

/** Who caused an event, from where, and in which request. The audit log records it with the event. */
export interface AuditOrigin {
  /**
   * `token:<id>` or `oidc:<issuer>` for a human, `agent:<id>` for a valid signature, `admin:<token id>` for a caller of the admin API,
   * `operator` for a program that opened the database itself.
   */
  readonly actor?: string | undefined;
  /** The address that the request came from. */
  readonly address?: string | undefined;
  readonly requestId?: string | undefined;
}

/** When an event happens and who causes it, as the audit log records it. Life times are judged at the same instant. */
export interface AuditStamp extends Instant {
  readonly origin: AuditOrigin;
}

/** Reads the clock once, for an event of this origin. */
export function stampOf(now: () => number, origin: AuditOrigin): AuditStamp {
  return { ...instantOf(now), origin };
}

/** Returns the same stamp with its actor, once that is known. */
export function actedBy(stamp: AuditStamp, actor: string): AuditStamp {
  return { ...stamp, origin: { ...stamp.origin, actor } };
}
