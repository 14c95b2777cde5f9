import { problemOf } from "./problem-of.js";

/**
 * The answer of a Fetch server to a request that was not accepted.
 *
 * @param error - what `verify` threw
 * @param now - epoch milliseconds
 */
export function problemResponse(error: unknown, now: number): Response {
  const { status, headers, body } = problemOf(error);
  // Servers on Fetch add no Date of their own.
  return new Response(body, { status, headers: { ...headers, date: new Date(now).toUTCString() } });
}
