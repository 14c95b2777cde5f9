import { type Code, codeRow, hintOfCode, isCode } from "@countersign/agent-key/codes";
import { AuthorityError } from "../authority-error.js";
import { describeServerText } from "../internal/server-text.js";
import type { Exchange } from "./exchange.js";
import { parseRetryAfter } from "./retry-after.js";

const INVALID_REQUEST = new Set([400, 404, 405, 409, 413, 415, 422]);
const NO_AUTHORITY =
  "check the URL of the authority, its path included: there is no authority at this one";

/** Makes the error of an answer that is not 2xx (protocol.md §7). */
export function answerError(
  what: string,
  answer: Exchange,
  options: {
    readonly authority: string;
    readonly secrets: readonly string[];
    readonly now: number;
  },
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
      hint: isElsewhere ? NO_AUTHORITY : hintOfCode(code, options.authority),
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
      code: isCode(code) && codeRow(code).givenBy !== "self" ? code : undefined,
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
