import {
  createServer,
  type IncomingMessage,
  type RequestListener,
  type ServerResponse,
} from "node:http";
import type { AddressInfo } from "node:net";
import { buffer } from "node:stream/consumers";
import { pipeline } from "node:stream/promises";
import { createVerifier, memoryReplayStore } from "@countersign/agent-assertion";
import { remoteDirectory } from "@countersign/agent-assertion/remote-directory";
import type { Registry } from "@countersign/agent-authority";
import type { AgentTaskManager } from "@countersign/agent-task";
import { type McpEndpoint, type McpServerOptions, mcpServer } from "@countersign/ai/mcp-server";
import { startWireTap, type WireTap } from "@countersign/testing/vitest";
import express from "express";
import { onTestFinished } from "vitest";
import type { McpServing, McpTools } from "./mcp-servings.js";
import { startAgent, startAuthority } from "./world.js";

/** An authority, agents, and an MCP server that verifies them. */
export interface McpWorld {
  readonly registry: Registry;
  readonly url: string;
  readonly endpoint: McpEndpoint;
  readonly tap: WireTap;
  /** What the server reported to its operator. */
  readonly errors: readonly unknown[];
  agent(user: { readonly accountId: string; readonly userId: string }): Promise<AgentTaskManager>;
  endAuthority(): Promise<void>;
}

/** Starts an {@link McpWorld} that ends with the test. Requests must be bound. */
export async function startMcpWorld(
  serving: McpServing,
  tools: McpTools,
  options: Partial<McpServerOptions> & { readonly staleIfErrorSeconds?: number } = {},
): Promise<McpWorld> {
  const { staleIfErrorSeconds = 300, ...serverOptions } = options;
  const authority = await startAuthority();
  const tap = await startWireTap();
  const { token } = await authority.registry.createAccessToken({
    ...{ accountId: "acct-1", userId: "server-1", role: "resource_server", ttlSeconds: 3600 },
  });
  const directory = remoteDirectory(authority.url, {
    ...{ token, revocationDelaySeconds: 0, staleIfErrorSeconds },
  });
  onTestFinished(() => directory.close?.());
  const binding = {
    policy: "require",
    publicUrl: tap.url,
    replayStore: memoryReplayStore(),
  } as const;
  const errors: unknown[] = [];
  const endpoint = mcpServer({
    verifier: createVerifier({ directory, binding }),
    connect: (session) => serving.connect(tools, session),
    onError: (error) => void errors.push(error),
    ...serverOptions,
  });
  onTestFinished(() => endpoint.close());
  tap.relayTo(await listen(listenerOf(serving, endpoint)));
  return {
    ...{ registry: authority.registry, url: `${tap.url}/mcp`, endpoint, tap, errors },
    agent: (user) => startAgent(authority, user),
    endAuthority: authority.end,
  };
}

function listenerOf({ face }: McpServing, endpoint: McpEndpoint): RequestListener {
  if (face === "fetch") return listenerOfFetch(endpoint.fetch);
  const app = express();
  app.all("/mcp", endpoint.node);
  return app;
}

/** Serves as runtimes on `Request` and `Response` do. */
function listenerOfFetch(serve: McpEndpoint["fetch"]): RequestListener {
  return (request, response) => void serveFetch(serve, request, response);
}

async function serveFetch(
  serve: McpEndpoint["fetch"],
  incoming: IncomingMessage,
  outgoing: ServerResponse,
): Promise<void> {
  const gone = new AbortController();
  outgoing.once("close", () => gone.abort());
  const { method = "", url = "" } = incoming;
  const headers = incoming.headers as Record<string, string>;
  const body = method === "POST" ? await buffer(incoming) : null;
  const init = { method, headers, body, signal: gone.signal };
  const answer = await serve(new Request(new URL(url, "http://127.0.0.1"), init));
  outgoing.writeHead(answer.status, Object.fromEntries(answer.headers)).flushHeaders();
  // A client that leaves, or a stream that is broken off, ends the connection.
  await pipeline(answer.body ?? [], outgoing).catch(() => undefined);
}

/** Starts a server that ends with the test. @returns its origin */
async function listen(listener: RequestListener): Promise<string> {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** What a server answered to one message. */
export interface McpAnswer {
  readonly status: number;
  readonly session: string | null;
  readonly type: string | null;
  /** The JSON values of the events so far, as they come. */
  readonly messages: AsyncIterable<Message>;
  /** The first message that has an id: the response. Else the body. */
  response(): Promise<Message>;
  /** Leaves before the end. */
  cancel(): Promise<void>;
}

/** A JSON-RPC message or a problem. */
export interface Message {
  readonly id?: number;
  readonly code?: string;
  readonly result?: { readonly content?: readonly { readonly text: string }[] };
  readonly params?: { readonly data?: string };
}

/** Sends one message of JSON-RPC, or opens or ends a session's stream. */
export async function send(
  signed: typeof fetch,
  url: string,
  message: object | "GET" | "DELETE",
  { session, signal }: { readonly session?: string | null; readonly signal?: AbortSignal } = {},
): Promise<McpAnswer> {
  const headers = new Headers({
    accept: "application/json, text/event-stream",
    "mcp-protocol-version": "2025-06-18",
  });
  if (typeof session === "string") headers.set("mcp-session-id", session);
  const init: RequestInit = { headers, method: typeof message === "string" ? message : "POST" };
  if (typeof message === "object") {
    headers.set("content-type", "application/json");
    init.body = JSON.stringify({ jsonrpc: "2.0", ...message });
  }
  if (signal !== undefined) init.signal = signal;
  const answer = await signed(url, init);
  const type = answer.headers.get("content-type");
  const messages = type === "text/event-stream" ? eventsOf(answer) : bodyOf(answer);
  return {
    ...{ status: answer.status, session: answer.headers.get("mcp-session-id"), type, messages },
    cancel: async () => await answer.body?.cancel(),
    async response() {
      for await (const each of messages) if (each.id !== undefined || each.code) return each;
      throw new Error("the answer ended without a response");
    },
  };
}

/** The first message of a client. */
export const INITIALIZE = {
  ...{ id: 0, method: "initialize" },
  params: {
    ...{ protocolVersion: "2025-06-18", capabilities: {} },
    clientInfo: { name: "client", version: "1" },
  },
};

/** The call of a tool. */
export function callOf(name: string, id = 1): object {
  return { id, method: "tools/call", params: { name, arguments: {} } };
}

/** The text of a tool's result. */
export function textOf({ result }: Message): string {
  return (result?.content ?? []).map(({ text }) => text).join("");
}

async function* bodyOf(answer: Response): AsyncGenerator<Message> {
  const text = await answer.text();
  if (text !== "") yield JSON.parse(text) as Message;
}

async function* eventsOf(answer: Response): AsyncGenerator<Message> {
  const decoder = new TextDecoder();
  let rest = "";
  for await (const chunk of answer.body ?? []) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) {
      if (line.startsWith("data: {")) yield JSON.parse(line.slice("data: ".length)) as Message;
    }
  }
}
