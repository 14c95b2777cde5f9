import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { Authority } from "@countersign/agent-authority";
import { createProblem } from "@countersign/agent-key/problem";

/** What a request asked of the authority. */
export type AuthorityStep = "whoami" | "register_agent" | "register_task" | "directory" | "other";

/** An authority whose requests are counted, and whose task registrations can be made to fail. */
export interface RecordedAuthority extends AsyncDisposable {
  readonly url: string;
  /** Requests received so far, of one step. */
  count(step: AuthorityStep): number;
  /** From now on task registrations are answered 503, or as they should be. */
  failTasks(fail: boolean): void;
}

/** Puts an authority behind a loopback server of its own. */
export async function recordAuthority(authority: Authority): Promise<RecordedAuthority> {
  const counts = new Map<AuthorityStep, number>();
  let failing = false;
  const server = createServer((request, response) => {
    const step = stepOf(request);
    counts.set(step, (counts.get(step) ?? 0) + 1);
    if (failing && step === "register_task") refuse(request, response);
    else authority.handler(request, response);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    count: (step) => counts.get(step) ?? 0,
    failTasks(fail) {
      failing = fail;
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

function stepOf({ method, url = "" }: IncomingMessage): AuthorityStep {
  if (method === "GET" && url === "/v1/whoami") return "whoami";
  if (method === "POST" && url === "/v1/agent/register") return "register_agent";
  if (method === "POST" && url.endsWith("/task/register")) return "register_task";
  return method === "GET" && url.startsWith("/v1/agent/") ? "directory" : "other";
}

function refuse(request: IncomingMessage, response: ServerResponse): void {
  request.resume();
  const { status, headers, body } = createProblem("server_error", "made to fail");
  response.writeHead(status, headers);
  response.end(body);
}
