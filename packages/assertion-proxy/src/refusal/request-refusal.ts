import { type Code, CountersignError, type CountersignErrorOptions } from "@countersign/agent-key";
import type { AuditIdentity } from "./audit-entry.js";
import type { LimitName } from "./proxy-limit-name.js";

/** What a {@link RequestRefusal} carries beside its code and sentence. */
export interface RequestRefusalOptions extends CountersignErrorOptions {
  /** Another status than the code's own. */
  readonly status?: number | undefined;
  /** What the client is told in place of the code, which the audit entry keeps. */
  readonly answeredAs?: Code | undefined;
  /** When the same request may be sent again, in seconds from now. */
  readonly retryAfterSeconds?: number | undefined;
  /** Whose request it was, if the signature held. */
  readonly identity?: AuditIdentity | undefined;
  /** The limit that was reached, for the figures. */
  readonly limit?: LimitName | undefined;
}

/**
 * Why one request does not pass; becomes its problem+json and the code of its audit entry, so that its message is read by the client.
 * Never leaves a proxy as an error.
 */
export class RequestRefusal extends CountersignError {
  static override readonly brandName: string = "RequestRefusal";
  readonly status: number | undefined;
  readonly answeredAs: Code | undefined;
  readonly retryAfterSeconds: number | undefined;
  readonly identity: AuditIdentity | undefined;
  readonly limit: LimitName | undefined;

  constructor(code: Code, message: string, options: RequestRefusalOptions = {}) {
    super(code, message, options);
    this.status = options.status;
    this.answeredAs = options.answeredAs;
    this.retryAfterSeconds = options.retryAfterSeconds;
    this.identity = options.identity;
    this.limit = options.limit;
  }
}
