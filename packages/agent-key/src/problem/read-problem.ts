import { type Code, codeRow, isCode } from "../codes.js";
import { readChallenge } from "./read-challenge.js";

const INVALID_REQUEST = new Set([400, 404, 405, 409, 413, 415, 422]);
const PROBLEM_TYPE = /^[ \t]*application\/problem\+json[ \t]*(?:;|$)/i;

/** How much of a refusal is read for its reason, bytes. */
export const MAX_PROBLEM_BYTES = 64 * 1024;

/** The fields of an answer that say why a server refused. */
export interface ProblemFields {
  /** Several lines are joined with commas. */
  readonly wwwAuthenticate: string | null | undefined;
  readonly contentType: string | null | undefined;
}

/** What a body of problem+json says. */
export interface ReadProblem {
  /** `undefined` if it is none of ours, or one that no server sends. */
  readonly code: Code | undefined;
  /** `detail`, else `title`: written by the server, so that it is escaped before it is shown. */
  readonly detail: string | undefined;
}

/**
 * Reads a body of problem+json.
 *
 * @returns `undefined` if the media type is another one, or the body is not a JSON object
 * @see RFC 9457 §3
 */
export function parseProblem(
  contentType: string | null | undefined,
  body: string,
): ReadProblem | undefined {
  if (!PROBLEM_TYPE.test(contentType ?? "")) return undefined;
  const problem = parseObject(body);
  if (problem === undefined) return undefined;
  const { code, detail, title } = problem;
  return {
    code: sentCode(code),
    detail: typeof detail === "string" ? detail : typeof title === "string" ? title : undefined,
  };
}

/**
 * Reads the code of a refusal: from `WWW-Authenticate`, otherwise from problem+json.
 *
 * The code is a hint: the caller must not trust it further than protocol.md §10 says.
 *
 * @param readStart - called only if the body may have the code. Returns the whole body, or any text that is not JSON if the body is over
 * {@link MAX_PROBLEM_BYTES}. If it rejects, the body has no code
 */
export async function refusalCode(
  { wwwAuthenticate, contentType }: ProblemFields,
  readStart: () => string | Promise<string>,
): Promise<Code | undefined> {
  const challenge = sentCode(readChallenge(wwwAuthenticate ?? "", "agentassertion", "error"));
  if (challenge !== undefined) return challenge;
  if (!PROBLEM_TYPE.test(contentType ?? "")) return undefined;
  try {
    return parseProblem(contentType, await readStart())?.code;
  } catch {
    // The body broke off; the refusal stands.
    return undefined;
  }
}

/** The code that stands for a status whose answer has none (protocol.md §9). */
export function codeOfStatus(status: number): Code {
  if (INVALID_REQUEST.has(status)) return "invalid_request";
  if (status === 401) return "unauthenticated";
  if (status === 403) return "forbidden";
  if (status === 429) return "rate_limited";
  if (status >= 500) return "server_error";
  return status >= 400 ? "refused" : "bad_response";
}

// No server sends a code whose row has status 500.
function sentCode(value: unknown): Code | undefined {
  return isCode(value) && codeRow(value).status !== 500 ? value : undefined;
}

function parseObject(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null && !Array.isArray(value)
      ? { ...value }
      : undefined;
  } catch {
    return undefined;
  }
}
