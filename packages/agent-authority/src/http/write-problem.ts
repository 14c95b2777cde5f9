import type { ServerResponse } from "node:http";
import type { Problem } from "@countersign/agent-key/problem";

/** Writes a refusal outside of the router. */
export function writeProblem(response: ServerResponse, problem: Problem): void {
  const length = String(Buffer.byteLength(problem.body));
  response.writeHead(problem.status, { ...problem.headers, "content-length": length });
  response.end(problem.body);
}
