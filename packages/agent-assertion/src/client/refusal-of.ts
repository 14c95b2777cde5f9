import { CountersignError } from "@countersign/agent-key";
import { createProblem } from "@countersign/agent-key/problem";

// Where errors keep what caused them, and SDKs the response that they are about.
const LINKS = ["cause", "errors", "lastError", "response", "headers"] as const;
// More than any chain of causes has. A getter can make one without end.
const MAX_VISITED = 10_000;

// The headers of the responses that were made here: by object, since a server can copy a body and every header.
const made = new WeakMap<object, CountersignError>();

/**
 * Finds the refusal behind an error or a response: that the agent was revoked, say, in what an SDK makes of it.
 *
 * Follows `cause`, `errors` and `lastError`, however deep. With `refusals: "respond"` it also knows the `Response` that was made here, by the
 * object itself, in an error that keeps the response or its headers. An answer of a server is never taken for one.
 *
 * @param value - what a call rejected with, or the response that it resolved to
 * @returns the first error of Countersign: see its `code`, `hint` and `retryable`; `undefined` if there is none
 */
export function refusalOf(value: unknown): CountersignError | undefined {
  const seen = new Set<object>();
  const found: unknown[] = [value];
  for (const next of found) {
    if (typeof next !== "object" || next === null || seen.has(next)) continue;
    if (seen.size === MAX_VISITED) return undefined;
    seen.add(next);
    if (CountersignError.is(next)) return next;
    const refusal = made.get(next);
    if (refusal !== undefined) return refusal;
    found.push(...(Array.isArray(next) ? next.slice(0, MAX_VISITED) : linksOf(next)));
  }
  return undefined;
}

/**
 * The answer that stands for a refusal that no repetition changes, where its error would be taken for a failed connection. {@link refusalOf}
 * knows it. `undefined` for other errors.
 */
export function answerToRefusal(error: unknown): Response | undefined {
  if (!CountersignError.is(error) || error.retryable || error.code === "cancelled")
    return undefined;
  const { code, message, hint } = error;
  const detail = hint === undefined ? message : `${message}: ${hint}`;
  const { status, headers, body } = createProblem(code, detail, { status: 403 });
  const response = new Response(body, {
    status,
    // The AI SDK shows it.
    statusText: "Forbidden",
    // Asked for by name by SDKs that would try again.
    headers: { ...headers, "x-should-retry": "false" },
  });
  made.set(response.headers, error);
  return response;
}

function linksOf(value: object): unknown[] {
  return LINKS.map((name) => {
    try {
      return Reflect.get(value, name);
    } catch {
      // A getter that throws leads nowhere.
      return undefined;
    }
  });
}
