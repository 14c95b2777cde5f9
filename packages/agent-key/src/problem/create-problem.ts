import { STATUS_CODES } from "node:http";
import { type Code, codeRow } from "../codes.js";
import { hideCredentials } from "../redaction.js";

/** What {@link createProblem} takes beside the code. */
export interface ProblemExtra {
  /** Another status than the table's: 404 for a directory's `unknown_agent`. From 400 to 599. */
  readonly status?: number | undefined;
  /** When the same request may be sent again, in seconds from now; rounded up. Gives `Retry-After`. */
  readonly retryAfterSeconds?: number | undefined;
}

/** An answer ready to be written. */
export interface Problem {
  readonly status: number;
  readonly headers: Record<string, string>;
  readonly body: string;
}

// As the API of OpenAI names them. Other statuses from 400 to 499 are `invalid_request_error`, those from 500 on `server_error`.
const ERROR_TYPE: Readonly<Record<number, string>> = {
  401: "authentication_error",
  403: "permission_error",
  404: "not_found_error",
  429: "rate_limit_error",
};

/** The HTTP status with which our servers answer a code (protocol.md §9). */
export function statusOf(code: Code): number {
  return codeRow(code).status;
}

/**
 * Makes a refusal as every server of ours sends it: problem+json with the `code`, and on 401 `WWW-Authenticate` with it too. It is never
 * cached: a refusal may be over the next moment. The member `error` repeats it in the form of OpenAI's API, because the clients of such APIs
 * show `error.message` alone; our own clients ignore it.
 *
 * @param detail - one sentence for a person; shown to the caller, so that it must hold nothing internal. Credentials in it are hidden: it
 * may repeat what was sent
 * @see RFC 9457; protocol.md §9
 */
export function createProblem(code: Code, detail?: string, extra: ProblemExtra = {}): Problem {
  const status = extra.status ?? statusOf(code);
  const headers: Record<string, string> = {
    "content-type": "application/problem+json",
    "cache-control": "no-store",
  };
  // Codes are lower snake case: they need no escaping in a quoted string.
  if (status === 401) headers["www-authenticate"] = `AgentAssertion error="${code}"`;
  if (extra.retryAfterSeconds !== undefined) {
    headers["retry-after"] = String(Math.max(0, Math.ceil(extra.retryAfterSeconds)));
  }
  // Without a `type` a problem is "about:blank", and its title that of the status (RFC 9457 §4.2.1).
  const title = STATUS_CODES[status];
  const shown = detail === undefined ? undefined : hideCredentials(detail);
  const error = { message: shown || (title ?? code), type: errorTypeOf(status), code };
  return { status, headers, body: JSON.stringify({ title, status, code, detail: shown, error }) };
}

function errorTypeOf(status: number): string {
  return ERROR_TYPE[status] ?? (status < 500 ? "invalid_request_error" : "server_error");
}
