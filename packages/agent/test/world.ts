import { createServer, type IncomingHttpHeaders } from "node:http";
import type { AddressInfo } from "node:net";
import { createVerifier } from "@countersign/agent-assertion";
import { requireAgent } from "@countersign/agent-assertion/node";
import { remoteDirectory } from "@countersign/agent-assertion/remote-directory";
import { startTestAuthority, type TestAuthority, temporaryDirectory } from "@countersign/testing";
import { onTestFinished } from "vitest";
import { type ConnectAgentOptions, type ConnectedAgent, connectAgent } from "../src/index.js";

/** What an API received. */
export interface ApiRequest {
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
}

/** An API that verifies, on a real socket: it answers which agent, task and account called. */
export interface Api {
  readonly url: string;
  /** Every request, refused ones included. */
  readonly requests: readonly ApiRequest[];
  /** Where the path `/elsewhere` redirects to, once the assertion was verified. */
  redirectTo: string;
  /** The path `/slow` is answered when this is settled. */
  until: Promise<unknown>;
}

/** What the API answers. */
export interface Caller {
  readonly agentRuntimeId: string;
  readonly taskId: string;
  readonly accountId: string;
  readonly userId: string;
}

/** An authority and an API on sockets of their own, and a home that is not there yet. */
export interface World {
  readonly authority: TestAuthority;
  readonly api: Api;
  readonly accessToken: string;
  readonly home: string;
  readonly options: ConnectAgentOptions;
  /** Connects an agent that is closed when the test ends. */
  connect(options?: Partial<ConnectAgentOptions>): ConnectedAgent;
}

/** Starts a {@link World} that ends with the test. */
export async function startWorld(): Promise<World> {
  const authority = await startTestAuthority();
  onTestFinished(() => authority.close());
  const folder = await temporaryDirectory();
  onTestFinished(folder.remove);
  const api = await startApi(authority.url);
  const accessToken = authority.addHuman({ accountId: "acct-1", userId: "user-1" });
  const home = `${folder.path}/home`;
  const options = { authority: authority.url, accessToken, home, origins: [api.url] };
  return {
    authority,
    api,
    accessToken,
    home,
    options,
    connect(more = {}) {
      const agent = connectAgent({ ...options, ...more });
      onTestFinished(() => agent.close());
      return agent;
    },
  };
}

async function startApi(authority: string): Promise<Api> {
  const verifier = createVerifier({
    directory: remoteDirectory(authority, { revocationDelaySeconds: 0 }),
  });
  const requests: ApiRequest[] = [];
  const api = { url: "", requests, redirectTo: "", until: Promise.resolve() as Promise<unknown> };
  const answer = requireAgent(verifier, async (request, response, caller) => {
    if (request.url === "/slow") await api.until;
    if (request.url === "/elsewhere") response.writeHead(307, { location: api.redirectTo });
    const { agentRuntimeId, taskId, accountId, userId } = caller;
    response.end(JSON.stringify({ agentRuntimeId, taskId, accountId, userId }));
  });
  const server = createServer((request, response) => {
    requests.push({ url: request.url ?? "", headers: request.headers });
    answer(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  api.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return api;
}

/** Who the API says has called. */
export async function callerOf(answer: Promise<Response> | Response): Promise<Caller> {
  const response = await answer;
  const text = await response.text();
  if (response.status !== 200) throw new Error(`${response.status} ${text}`);
  return JSON.parse(text);
}

/** Takes one turn with one request. @returns who the API says has called */
export async function turn(world: World, agent: ConnectedAgent, id = "thread-1") {
  const thread = agent.thread(id);
  return await thread.run(() => callerOf(thread.fetch(world.api.url)));
}
