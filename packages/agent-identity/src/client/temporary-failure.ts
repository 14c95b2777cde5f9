import { errnoOf } from "@countersign/agent-key/platform-fetch";
import { AuthorityError } from "../authority-error.js";

// What a load balancer answers in place of an authority that is away, and an authority that has no room for any request.
const AWAY: ReadonlySet<number> = new Set([502, 503, 504]);

// The request was not sent, or the connection ended before an answer: what a restart looks like from outside. A name that does not exist, a
// network without a route and a connection that takes too long do not end with a restart.
const RESTART: ReadonlySet<string> = new Set([
  "ECONNREFUSED",
  "ECONNRESET",
  "EPIPE",
  "UND_ERR_SOCKET",
  "EAI_AGAIN",
]);

/**
 * Tells whether a failure says that the authority is away for every caller. A quota that is used up (429) and a defect (500) are answers to one
 * caller, or to one request.
 */
export function isAway(error: unknown): error is AuthorityError {
  if (!AuthorityError.is(error)) return false;
  if (error.status !== undefined) return AWAY.has(error.status);
  return error.retryable && (error.code === "timeout" || error.code === "unreachable");
}

/** Tells whether a failure is a passing one of this caller, or of this request: 429, or a 5xx that does not say that the authority is away. */
export function isPassingAnswer(error: unknown): error is AuthorityError {
  if (!AuthorityError.is(error) || error.status === undefined) return false;
  return error.status === 429 || (error.status >= 500 && !AWAY.has(error.status));
}

/** Tells whether a failure is what an authority that starts again causes: it answers 503, or the connection is refused or ends early. */
export function isRestart(error: AuthorityError): boolean {
  if (error.status !== undefined) return error.status === 503;
  return error.code === "unreachable" && RESTART.has(errnoOf(error.cause) ?? "");
}
