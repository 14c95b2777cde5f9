import type { ServerResponse } from "node:http";
import { AssertionRejected } from "@countersign/agent-assertion";
import { createProblem, type Problem } from "@countersign/agent-key/problem";

const RETRY_AFTER_SECONDS = 5;

/** The answer to a request in a session that its agent does not have: ended, never opened, or another's. The three look alike. */
export function noSession(): Problem {
  const detail = "this agent has no such session: start a new one";
  return createProblem("invalid_request", detail, { status: 404 });
}

/** The answer to a request that was open when its caller ended, or could no longer be looked at. */
export function callerEnded(error: unknown): Problem {
  // No 401: after one for its task a client would send the request once more (protocol.md §10).
  return AssertionRejected.is(error)
    ? createProblem("forbidden", `${error.message}; whether the request was done is not known`)
    : notServed();
}

/** The answer where the server itself fails. */
export function notServed(): Problem {
  const extra = { retryAfterSeconds: RETRY_AFTER_SECONDS };
  return createProblem("server_error", "the request cannot be served now", extra);
}

/** Answers on Node's response. If an answer has begun, its connection is destroyed: it must not look whole. */
export function sendProblem(response: ServerResponse, { status, headers, body }: Problem): void {
  if (response.destroyed || response.writableEnded) return;
  if (response.headersSent) {
    response.destroy();
    return;
  }
  response.writeHead(status, { ...headers, "content-length": Buffer.byteLength(body) });
  response.end(body);
}

/** @param now - epoch milliseconds */
export function problemResponse({ status, headers, body }: Problem, now: number): Response {
  // Servers on Fetch add no Date of their own.
  return new Response(body, { status, headers: { ...headers, date: new Date(now).toUTCString() } });
}
