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
 * Whether a failure means that the authority is away for every caller. A used-up quota (429) and a defect (500) do not: they are answers to
 * one caller, or to one request.
 */
export function isAway(error: unknown): error is AuthorityError {
  if (!AuthorityError.is(error)) return false;
  if (error.status !== undefined) return AWAY.has(error.status);
  return error.retryable && (error.code === "timeout" || error.code === "unreachable");
}

/** Whether a failure is temporary for this caller or this request alone: 429, or a 5xx that does not mean that the authority is away. */
export function isPassingAnswer(error: unknown): error is AuthorityError {
  if (!AuthorityError.is(error) || error.status === undefined) return false;
  return error.status === 429 || (error.status >= 500 && !AWAY.has(error.status));
}

/** Whether a failure is one that a restart of the authority causes: it answers 503, or the connection is refused or ends early. */
export function isRestart(error: AuthorityError): boolean {
  if (error.status !== undefined) return error.status === 503;
  return error.code === "unreachable" && RESTART.has(errnoOf(error.cause) ?? "");
}
