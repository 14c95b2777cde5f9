import { isUtf8 } from "node:buffer";
import { once } from "node:events";
import { escapeLines, escapeText } from "@countersign/agent-key/escaping";
import { MAX_PROBLEM_BYTES, refusalCode } from "@countersign/agent-key/problem";
import type { Run } from "../config/run.js";
import { CliError } from "../text/cli-error.js";
import { toTransportError } from "./transport-error.js";

const MAX_JSON_BYTES = 64 * 1024 * 1024;

/** Options of {@link printAnswer}. */
export interface PrintAnswerOptions {
  /** Who answered, for messages. */
  readonly origin: string;
  /** Print status line and headers first. */
  readonly include: boolean;
}

/**
 * Prints an answer on stdout: the body as it arrives, byte for byte; on a terminal with control characters escaped; with `--json` as one
 * document with `status`, `headers` and `body` (`body_base64` where it is no UTF-8).
 *
 * @throws {CliError} after the body was printed: exit 4 for a status 4xx, exit 5 for 5xx, with the answer's own code where it has one
 */
export async function printAnswer(
  run: Run,
  answer: Response,
  { origin, include }: PrintAnswerOptions,
): Promise<void> {
  const { stdout, json } = run.output;
  const kept: Uint8Array[] = [];
  let keptBytes = 0;
  const keepUpTo = json ? MAX_JSON_BYTES : MAX_PROBLEM_BYTES;
  if (include && !json) stdout.write(formatHead(answer));
  const decoder = new TextDecoder();
  try {
    for await (const chunk of answer.body ?? []) {
      if (keptBytes + chunk.length <= keepUpTo) kept.push(chunk);
      else if (json) throw tooLong();
      keptBytes += chunk.length;
      if (json) continue;
      const piece = stdout.isTTY ? escapeLines(decoder.decode(chunk, { stream: true })) : chunk;
      if (!stdout.write(piece)) await once(stdout, "drain", { signal: run.signal });
    }
  } catch (error) {
    throw toTransportError(error, origin, run.signal);
  }
  const body = Buffer.concat(kept);
  if (json) run.output.result(describeAnswer(answer, body), () => "");
  if (answer.status >= 400) throw await refusalOf(answer, body, origin);
}

function formatHead(answer: Response): string {
  const headers = [...answer.headers].map(([name, value]) => `${name}: ${escapeText(value)}\r\n`);
  return `HTTP/1.1 ${answer.status} ${escapeText(answer.statusText)}\r\n${headers.join("")}\r\n`;
}

function describeAnswer(answer: Response, body: Buffer): Readonly<Record<string, unknown>> {
  const { status, headers } = answer;
  const content = isUtf8(body)
    ? { body: body.toString("utf8") }
    : { body_base64: body.toString("base64") };
  return { status, headers: Object.fromEntries(headers), ...content };
}

async function refusalOf(answer: Response, body: Buffer, origin: string): Promise<CliError> {
  const { status, headers } = answer;
  const fields = {
    wwwAuthenticate: headers.get("www-authenticate"),
    contentType: headers.get("content-type"),
  };
  const code = await refusalCode(fields, () => body.toString("utf8"));
  const fallback = status >= 500 ? "server_error" : status === 401 ? "unauthenticated" : "refused";
  return new CliError(code ?? fallback, `${origin} answered ${status}`, {
    exitCode: status >= 500 ? 5 : 4,
    resultPrinted: true,
    hint: hintFor(status, code !== undefined),
  });
}

function hintFor(status: number, hasCode: boolean): string {
  if (status >= 500) return "try again later";
  if (status === 401 && !hasCode) return "this server may not know agents: countersign status";
  return "the answer's body says more";
}

function tooLong(): CliError {
  return new CliError("bad_response", "the answer is longer than 64 MiB", {
    hint: "leave --json out to stream it",
  });
}
