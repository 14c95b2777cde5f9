import { createProblem, type Problem } from "@countersign/agent-key/problem";
import { AssertionRejected } from "../verify/assertion-rejected.js";
import { TooManyLookups } from "../verify/too-many-lookups.js";
import { UnreadableBody } from "./unreadable-body.js";

const RETRY_AFTER_SECONDS = 5;

/**
 * Returns whether an error is the caller's fault: a rejected assertion, a body that cannot be taken, or too many lookups from the caller's
 * address or account. Any other error means that the check could not be made, and is reported to the operator.
 */
export function isCallersFault(error: unknown): boolean {
  if (UnreadableBody.is(error)) return error.code !== "config_invalid";
  if (TooManyLookups.is(error)) return error.code === "rate_limited";
  return AssertionRejected.is(error);
}

/**
 * The answer to a request that was not accepted: problem+json, ready to be written.
 *
 * A rejected assertion keeps its code, and so does a request that was not checked because too many wait for lookups (429 or 503 with
 * `Retry-After`). Any other error that stopped the check becomes 503 `server_error` with `Retry-After`, and its details are not shown to the
 * caller.
 *
 * @param error - what `verify` or `verifyRequest` threw
 * @see protocol.md §9
 */
export function problemOf(error: unknown): Problem {
  if (AssertionRejected.is(error)) return createProblem(error.code, error.message);
  if (UnreadableBody.is(error) && isCallersFault(error)) {
    return createProblem(error.code, error.message, { status: error.status });
  }
  if (TooManyLookups.is(error)) {
    const { retryAfterSeconds } = error;
    return createProblem(error.code, error.message, { retryAfterSeconds });
  }
  return createProblem("server_error", "the assertion cannot be checked now", {
    retryAfterSeconds: RETRY_AFTER_SECONDS,
  });
}
