import { type Instant, instantOf } from "./times.js";

/** Who does something, from where, and in which request: what the audit log says of an event besides what happened. */
export interface AuditOrigin {
  /** `token:<id>` or `oidc:<issuer>` for a human, `agent:<id>` for a signature that held, `admin:<token id>`, `operator` for someone with the database. */
  readonly actor?: string | undefined;
  /** The address that the request came from. */
  readonly address?: string | undefined;
  readonly requestId?: string | undefined;
}

/** When something is done, and whose doing it is. */
export interface AuditStamp extends Instant {
  readonly origin: AuditOrigin;
}

/** Reads a clock once, for something that comes from there. */
export function stampOf(now: () => number, origin: AuditOrigin): AuditStamp {
  return { ...instantOf(now), origin };
}

/** The same stamp, once it is known who acts. */
export function actedBy(stamp: AuditStamp, actor: string): AuditStamp {
  return { ...stamp, origin: { ...stamp.origin, actor } };
}
