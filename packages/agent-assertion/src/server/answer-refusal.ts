import type { ServerResponse } from "node:http";
import { FIELDS_OF_ANOTHER_ANSWER } from "./fields-of-another-answer.js";
import { problemOf } from "./problem-of.js";

/**
 * Answers a request that was not accepted, straight on Node's response, so that no handler of a framework changes it. Fields that were
 * set before, for CORS say, stay; those of another answer or body do not.
 *
 * Does nothing when the client is gone. When an answer has begun, its connection is destroyed: it must not look whole.
 *
 * @param error - what `verifyRequest` threw
 */
export function answerRefusal(response: ServerResponse, error: unknown): void {
  if (response.destroyed || response.writableEnded) return;
  if (response.headersSent) {
    response.destroy();
    return;
  }
  const { status, headers, body } = problemOf(error);
  const bytes = Buffer.from(body);
  for (const name of FIELDS_OF_ANOTHER_ANSWER) response.removeHeader(name);
  // Clients learn the time from it (protocol.md §10).
  response.sendDate = true;
  response.writeHead(status, { ...headers, "content-length": bytes.length });
  response.end(bytes);
}
