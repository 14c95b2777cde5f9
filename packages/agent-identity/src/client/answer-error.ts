import { type Code, codeRow, hintOfCode } from "@countersign/agent-key/codes";
import { codeOfStatus, parseProblem } from "@countersign/agent-key/problem";
import { describeServerText } from "@countersign/agent-key/redaction";
import { AuthorityError } from "../authority-error.js";
import type { Exchange } from "./exchange.js";
import { parseRetryAfter } from "./retry-after.js";

const NO_AUTHORITY =
  "check the URL of the authority, its path included: there is no authority at this one";

/** Makes the error of an answer that is not 2xx (protocol.md §9). */
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
  const problem = answer.isCut ? undefined : parseProblem(contentType(answer), text);
  const told = isTold(problem?.code) ? problem?.code : undefined;
  const code = told ?? codeOfStatus(status);
  const retryAfterSeconds = parseRetryAfter(answer.headers["retry-after"], options.now);
  const said = describeServerText(problem?.detail ?? text, options.secrets);
  // An authority says what it does not know, and misses no assertion; this was answered by something else, or above or below its base.
  const isElsewhere = (status === 404 && told === undefined) || told === "missing";
  const isRedirect = status >= 300 && status < 400;
  return new AuthorityError(
    code,
    isRedirect
      ? `${what} was answered with a redirect (${status}), which is never followed`
      : `${what} was answered with ${status}${said === "" ? "" : `: ${said}`}`,
    {
      status,
      retryAfterSeconds,
      // A 403 is worth another turn only where the authority says so (protocol.md §10).
      retryable:
        status === 429 || status >= 500 || (status === 403 && retryAfterSeconds !== undefined),
      hint: isElsewhere ? NO_AUTHORITY : hintOfCode(code, options.authority),
    },
  );
}

/** The media type of an answer, without parameters, in lower case. */
export function mediaType(answer: Pick<Exchange, "headers">): string {
  return (contentType(answer).split(";")[0] ?? "").trim().toLowerCase();
}

function contentType({ headers }: Pick<Exchange, "headers">): string {
  const value = headers["content-type"];
  return typeof value === "string" ? value : "";
}

// A code of a program's own is not an authority's to give.
function isTold(code: Code | undefined): boolean {
  return code !== undefined && codeRow(code).givenBy !== "self";
}

function decode(body: Uint8Array): string {
  return new TextDecoder("utf-8").decode(body);
}
