import type { Agent, AgentOptions, ClientRequest, IncomingMessage } from "node:http";
import { untilAborted } from "../until-aborted.js";
import { envProxies, followsEnvProxies } from "./env-proxies.js";
import type { FetchInit } from "./fetch.js";

/** How long a proxy may take to answer a CONNECT, and an idle connection stays open. */
const TIMEOUT_MS = 10_000;

const agents = new Map<string, Agent>();

/**
 * Sends a request with Node's own HTTP client: to a loopback host directly, to others by the proxies of the environment. What the program made of
 * the global `fetch` and its dispatcher has no part in it. Never follows a redirect.
 */
export async function nodeFetch(url: string, init: FetchInit): Promise<Response> {
  // Gives the body its bytes and its content type, by the rules of fetch.
  const request = new Request(url, { ...init, signal: null });
  const body = new Uint8Array(await request.arrayBuffer());
  return await send(request, body, init.signal ?? undefined);
}

async function send(
  { url, method, headers }: Request,
  body: Uint8Array,
  signal: AbortSignal | undefined,
): Promise<Response> {
  const answered = Promise.withResolvers<Response>();
  const hasLength = body.length > 0 || /^P/.test(method);
  // Not `request`, which programs replace to send everything by a proxy of theirs.
  const { ClientRequest } = process.getBuiltinModule("node:http");
  const sent = new ClientRequest({
    ...process.getBuiltinModule("node:url").urlToHttpOptions(new URL(url)),
    method,
    headers: {
      ...Object.fromEntries(headers),
      ...(hasLength ? { "content-length": body.length } : {}),
    },
    agent: agentOf(url),
  });
  endWith(signal, sent);
  const fail = (cause: unknown): void => answered.reject(new TypeError("fetch failed", { cause }));
  sent.on("error", fail);
  // Of a connection that was upgraded or ended there is no other word.
  sent.on("close", () => fail(new Error("the connection ended without an answer")));
  sent.on("response", (message) => {
    endWith(signal, message);
    try {
      answered.resolve(toResponse(message));
    } catch (error) {
      sent.destroy();
      fail(error);
    }
  });
  sent.end(body);
  // A request that waits for its connection does not end with its signal.
  return await untilAborted(answered.promise, signal);
}

function endWith(signal: AbortSignal | undefined, stream: ClientRequest | IncomingMessage): void {
  if (signal === undefined) return;
  const end = (): void => {
    stream.destroy(signal.reason instanceof Error ? signal.reason : new Error("aborted"));
  };
  signal.addEventListener("abort", end, { once: true });
  stream.on("close", () => signal.removeEventListener("abort", end));
  if (signal.aborted) end();
}

function toResponse(message: IncomingMessage): Response {
  const { statusCode: status = 0, statusMessage: statusText = "", rawHeaders } = message;
  const headers = new Headers();
  for (let at = 0; at < rawHeaders.length; at += 2) {
    headers.append(rawHeaders[at] ?? "", rawHeaders[at + 1] ?? "");
  }
  // Fetch §2.2.3: these have no body.
  const hasBody = ![204, 205, 304].includes(status);
  // Node knows that the other two end here; of a 205 it would read on.
  if (status === 205) message.destroy();
  else if (!hasBody) message.resume();
  const { Readable } = process.getBuiltinModule("node:stream");
  // The same interface, declared by Node once more.
  const body = hasBody ? (Readable.toWeb(message) as unknown as ReadableStream) : null;
  return new Response(body, { status, statusText, headers });
}

function agentOf(url: string): Agent {
  const isSecure = url.startsWith("https:");
  // Empty, not absent: Deno would then take those of the environment.
  const proxyEnv = followsEnvProxies(url) ? envProxies() : {};
  const key = JSON.stringify([isSecure, proxyEnv]);
  const known = agents.get(key);
  if (known !== undefined) return known;
  const { Agent } = process.getBuiltinModule(isSecure ? "node:https" : "node:http");
  const made = new Agent({ keepAlive: true, timeout: TIMEOUT_MS, proxyEnv } as AgentOptions);
  agents.set(key, made);
  return made;
}
