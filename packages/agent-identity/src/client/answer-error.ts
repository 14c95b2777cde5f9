import { type Code, isCode } from "@countersign/agent-key";
import { AuthorityError } from "../authority-error.js";
import { describeServerText } from "../internal/server-text.js";
import type { Exchange } from "./exchange.js";
import { parseRetryAfter } from "./retry-after.js";

const INVALID_REQUEST = new Set([400, 404, 405, 409, 413, 415, 422]);
// Codes that only this side may give: a server cannot tell a client that its store is corrupt or its command line wrong.
const NEVER_FROM_A_SERVER: ReadonlySet<Code> = new Set([
  "timeout",
  "unreachable",
  "bad_response",
  "cancelled",
  "store_corrupt",
  "store_locked",
  "store_denied",
  "usage",
  "config_invalid",
  "unknown_feature",
  "not_logged_in",
  "no_identity",
  "address_in_use",
  "internal",
]);

const HINTS: Partial<Record<Code, string>> = {
  unauthenticated: "log in again: the authority does not accept this login",
  biscuit_invalid: "try again; if it stays, check the authority's clock and its generations",
  forbidden: "ask whoever runs the authority: this login may not do that",
  agent_revoked: "this agent was stopped: ask whoever runs the authority",
  agent_expired: "log in again, so that the agent can be renewed",
  invalid_key: "this key belongs to somebody else: forget the identity and register a new one",
  rate_limited: "wait a little and try again",
  server_error: "try again later; if it stays, tell whoever runs the authority",
  bad_response: "check that the authority's address is right and names an authority",
};
const NO_AUTHORITY =
  "check the URL of the authority, its path included: there is no authority at this one";

/** Makes the error of an answer that is not 2xx (protocol.md §7). */
export function answerError(
  what: string,
  answer: Exchange,
  options: { readonly secrets: readonly string[]; readonly now: number },
): AuthorityError {
  const { status } = answer;
  const text = decode(answer.body);
  const problem = parseProblem(answer, text);
  const code = problem?.code ?? codeOfStatus(status);
  const retryAfterSeconds = parseRetryAfter(answer.headers["retry-after"], options.now);
  const said = describeServerText(problem?.detail ?? text, options.secrets);
  // An authority says what it does not know; this was answered by something else, or above or below its base.
  const isElsewhere = status === 404 && problem?.code === undefined;
  const isRedirect = status >= 300 && status < 400;
  return new AuthorityError(
    code,
    isRedirect
      ? `${what} was answered with a redirect (${status}), which is never followed`
      : `${what} was answered with ${status}${said === "" ? "" : `: ${said}`}`,
    {
      status,
      retryAfterSeconds,
      // A 403 is worth another turn only where the authority says so (protocol.md §8).
      retryable:
        status === 429 || status >= 500 || (status === 403 && retryAfterSeconds !== undefined),
      hint: isElsewhere ? NO_AUTHORITY : HINTS[code],
    },
  );
}

/** The media type of an answer, without parameters, in lower case. */
export function mediaType(answer: Pick<Exchange, "headers">): string {
  const value = answer.headers["content-type"];
  return typeof value === "string" ? (value.split(";")[0] ?? "").trim().toLowerCase() : "";
}

function codeOfStatus(status: number): Code {
  if (INVALID_REQUEST.has(status)) return "invalid_request";
  if (status === 401) return "unauthenticated";
  if (status === 403) return "forbidden";
  if (status === 429) return "rate_limited";
  if (status >= 500) return "server_error";
  return status >= 400 ? "refused" : "bad_response";
}

function parseProblem(
  answer: Exchange,
  text: string,
): { readonly code: Code | undefined; readonly detail: string | undefined } | undefined {
  if (mediaType(answer) !== "application/problem+json" || answer.isCut) return undefined;
  try {
    const body: unknown = JSON.parse(text);
    if (typeof body !== "object" || body === null) return undefined;
    const code = "code" in body ? body.code : undefined;
    const detail = "detail" in body ? body.detail : undefined;
    const title = "title" in body ? body.title : undefined;
    return {
      code: isCode(code) && !NEVER_FROM_A_SERVER.has(code) ? code : undefined,
      detail: typeof detail === "string" ? detail : typeof title === "string" ? title : undefined,
    };
  } catch {
    // Says problem+json and is none: the status alone counts, and the text is quoted as it is.
    return undefined;
  }
}

function decode(body: Uint8Array): string {
  return new TextDecoder("utf-8").decode(body);
}
