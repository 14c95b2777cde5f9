import type { Code } from "@countersign/agent-key";
import { AuthorityError } from "../authority-error.js";

const TEMPORARY: ReadonlySet<Code> = new Set([
  "timeout",
  "unreachable",
  "server_error",
  "rate_limited",
]);

// The request was not sent, or the connection ended before an answer: what a restart looks like from outside. A name that does not exist, a
// network without a route and a connection that takes too long do not end with a restart.
const RESTART: ReadonlySet<string> = new Set([
  "ECONNREFUSED",
  "ECONNRESET",
  "EPIPE",
  "UND_ERR_SOCKET",
  "EAI_AGAIN",
]);

/** Tells whether the same call may succeed later (protocol.md §8). */
export function isTemporary(error: unknown): error is AuthorityError {
  return AuthorityError.is(error) && error.retryable && TEMPORARY.has(error.code);
}

/** Tells whether a failure is what an authority that starts again causes: it answers 503, or the connection is refused or ends early. */
export function isRestart(error: AuthorityError): boolean {
  if (error.status !== undefined) return error.status === 503;
  return error.code === "unreachable" && RESTART.has(errnoOf(error.cause) ?? "");
}

/** The system's or undici's code of what broke a connection, the outermost where errors are nested. */
export function errnoOf(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  const code = "code" in error && typeof error.code === "string" ? error.code : undefined;
  return code ?? errnoOf(error instanceof AggregateError ? error.errors[0] : error.cause);
}
