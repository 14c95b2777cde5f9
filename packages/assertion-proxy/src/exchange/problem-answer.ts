import { type IncomingMessage, type ServerResponse, STATUS_CODES } from "node:http";
import type { Socket } from "node:net";
import { type Code, CountersignError } from "@countersign/agent-key";
import { createProblem, type Problem } from "@countersign/agent-key/problem";
import { REQUEST_ID_FIELD } from "../head/request-origin.js";
import { renderHead } from "../head/send-head.js";
import { RequestRefusal } from "../refusal/request-refusal.js";

const RETRY_AFTER_SECONDS = 5;

/**
 * Turns what stopped a request into its code for the audit entry and its problem+json. Only errors made on purpose speak: the text of
 * any other is internal.
 */
export function problemOf(error: unknown): { code: Code; problem: Problem } {
  const code: Code = CountersignError.is(error) ? error.code : "server_error";
  const detail = CountersignError.is(error) ? error.message : "the request could not be served";
  const { status, answeredAs, retryAfterSeconds } = RequestRefusal.is(error) ? error : {};
  const usual = code === "server_error" ? RETRY_AFTER_SECONDS : undefined;
  const extra = { status, retryAfterSeconds: retryAfterSeconds ?? usual };
  return { code, problem: createProblem(answeredAs ?? code, detail, extra) };
}

/** A problem, as the answer to one request. */
export interface ProblemAnswer {
  readonly problem: Problem;
  readonly requestId: string;
}

/** Answers with a problem. @param close - end the connection after it @returns the bytes of its body */
export function answerProblem(
  response: ServerResponse,
  { problem, requestId }: ProblemAnswer,
  close: boolean,
): number {
  const body = Buffer.from(problem.body);
  response.writeHead(problem.status, {
    ...problem.headers,
    [REQUEST_ID_FIELD]: requestId,
    "content-length": body.length,
    ...(close ? { connection: "close" } : {}),
  });
  response.end(body);
  return response.req.method === "HEAD" ? 0 : body.length;
}

/** Ends the connection of an answer that has begun, so that the answer never looks whole. */
export function breakOff(request: IncomingMessage, response: ServerResponse): void {
  // To a client of HTTP/1.0 a body without a length ends where the connection does.
  if (request.httpVersion === "1.0") request.socket.resetAndDestroy();
  response.destroy();
}

/** Writes a problem to a connection on which Node's server made no request out of what arrived. The caller ends it. */
export function writeRawProblem(
  socket: Socket,
  { problem, requestId }: ProblemAnswer,
  now: number,
): void {
  if (!socket.writable) {
    socket.destroy();
    return;
  }
  const body = Buffer.from(problem.body);
  const fields = {
    ...problem.headers,
    [REQUEST_ID_FIELD]: requestId,
    date: new Date(now).toUTCString(),
    "content-length": body.length,
    connection: "close",
  };
  const raw = Object.entries(fields).flatMap(([name, value]) => [name, String(value)]);
  const head = renderHead(problem.status, STATUS_CODES[problem.status] ?? "", raw);
  socket.write(Buffer.concat([Buffer.from(head, "latin1"), body]));
}
