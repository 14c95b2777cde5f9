import { type Code, CountersignError, type CountersignErrorOptions } from "@countersign/agent-key";

/** What an {@link AuthorityError} holds besides its code. */
export interface AuthorityErrorOptions extends CountersignErrorOptions {
  /** HTTP status of the answer. Absent: there was none. */
  readonly status?: number | undefined;
  /** Seconds that the authority asked to wait (`Retry-After`). */
  readonly retryAfterSeconds?: number | undefined;
}

/**
 * A call to the authority that gave no usable answer.
 *
 * Its code is the one in the authority's problem+json if that is a known code, otherwise the mapping of protocol.md §9 (`timeout`,
 * `unreachable`, `server_error`, `rate_limited`, `unauthenticated`, `forbidden`, `invalid_request`, `refused`, `bad_response`,
 * `cancelled`). The message quotes at most 512 characters of the answer, escaped and without secrets.
 */
export class AuthorityError extends CountersignError {
  static override readonly brandName: string = "AuthorityError";
  /** HTTP status of the answer. Absent: there was none. */
  readonly status: number | undefined;
  /** Seconds that the authority asked to wait (`Retry-After`). */
  readonly retryAfterSeconds: number | undefined;

  constructor(code: Code, message: string, options: AuthorityErrorOptions = {}) {
    super(code, message, options);
    this.status = options.status;
    this.retryAfterSeconds = options.retryAfterSeconds;
  }
}
