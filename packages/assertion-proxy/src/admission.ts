import type { IncomingMessage } from "node:http";
import type { AuditIdentity } from "./audit-entry.js";
import type { RawFields } from "./raw-fields.js";
import type { RequestRefusal } from "./request-refusal.js";

/** What a proxy decided about a request that may pass. */
export interface Admission {
  /** The fields for the upstream, built from nothing, what the proxy adds last. `Host`, `Connection` and the framing are not among them. */
  readonly fields: RawFields;
  /** Tells whether a field of the trailer section goes to the upstream. Takes a comparable name. */
  readonly keepTrailer: (name: string) => boolean;
  /** For the audit entry. */
  readonly identity: AuditIdentity;
  /** How to look again whether an open request may stay open. Absent: it may until it ends. */
  readonly recheck?: Recheck | undefined;
}

/** Looks again at what an open request stands on. */
export interface Recheck {
  /** Equal for all requests that stand on the same, so that one look serves them all. */
  readonly key: string;
  /** Rejects when they must end; the error's code says why. */
  readonly run: (signal: AbortSignal) => Promise<void>;
}

/** What makes a signing proxy or a verifying gateway of the common base. */
export interface ProxyPolicy {
  /**
   * Decides by the head alone whether the caller may use the proxy at all, before anything else of the request is looked at. Absent:
   * everybody may.
   *
   * @throws {RequestRefusal} who may not
   */
  guard?(request: IncomingMessage): void;
  /**
   * Decides whether a request may pass. The body was not read, and nothing was dialled.
   *
   * @throws a `CountersignError` whose code becomes the refusal; anything else is `server_error`
   */
  admit(request: IncomingMessage, signal: AbortSignal): Promise<Admission>;
  /** Looks at the upstream's head before anything of it reaches the client; a refusal is answered in its place. */
  judge?(status: number, fields: RawFields): RequestRefusal | undefined;
}
