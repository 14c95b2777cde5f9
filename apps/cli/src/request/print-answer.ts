import { isUtf8 } from "node:buffer";
import { once } from "node:events";
import { isCode } from "@countersign/agent-key/codes";
import { escapeLines, escapeText } from "@countersign/agent-key/escaping";
import type { Run } from "../config/run.js";
import { CliError } from "../text/cli-error.js";
import { toTransportError } from "./transport-error.js";

const MAX_JSON_BYTES = 64 * 1024 * 1024;
const PROBLEM_BYTES = 16_384;

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
  const keepUpTo = json ? MAX_JSON_BYTES : PROBLEM_BYTES;
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
  if (answer.status >= 400) throw refusalOf(answer, body, origin);
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

function refusalOf(answer: Response, body: Buffer, origin: string): CliError {
  const { status } = answer;
  const code = codeOf(answer, body);
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

function codeOf(answer: Response, body: Buffer) {
  const challenge = /\bAgentAssertion\s+error="([a-z_]+)"/i.exec(
    answer.headers.get("www-authenticate") ?? "",
  )?.[1];
  if (isCode(challenge)) return challenge;
  if (!answer.headers.get("content-type")?.startsWith("application/problem+json")) return undefined;
  try {
    const problem: unknown = JSON.parse(body.toString("utf8"));
    if (typeof problem !== "object" || problem === null || !("code" in problem)) return undefined;
    return isCode(problem.code) ? problem.code : undefined;
  } catch {
    // A body that is no JSON has no code; it was printed.
    return undefined;
  }
}

function tooLong(): CliError {
  return new CliError("bad_response", "the answer is longer than 64 MiB", {
    hint: "leave --json out to stream it",
  });
}
