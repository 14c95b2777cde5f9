import type { IncomingMessage, ServerResponse } from "node:http";
import { AgentAssertionError } from "@countersign/agent-assertion";
import type { McpAuthInfo } from "./auth-info.js";

/** A server transport of MCP's SDK: Node's `StreamableHTTPServerTransport`, or the one on `Request` and `Response`. */
export interface McpTransport {
  handleRequest(...call: never[]): Promise<unknown>;
  close(): Promise<void>;
  onclose?: (() => void) | undefined;
  readonly sessionId?: string | undefined;
}

/** A handler of version 2 of MCP's SDK, as `createMcpHandler` makes it. */
export interface McpHandler {
  fetch(request: Request, options: { readonly authInfo: McpAuthInfo }): Promise<Response>;
}

/** A handler of Node's request and response, whose `auth` is set, and of a parsed body: as `toNodeHandler` makes it. */
export type McpNodeHandler = (
  request: never,
  response: never,
  parsedBody?: unknown,
) => Promise<void>;

/** What answers the requests of MCP. */
export type McpConnection = McpTransport | McpHandler | McpNodeHandler;

/** Returns whether a connection is a transport, which ends with its session or its request. */
export function isTransport(connection: McpConnection): connection is McpTransport {
  return hasFunction(connection, "handleRequest") && hasFunction(connection, "close");
}

/**
 * Has a request answered through `fetch`.
 *
 * @throws {AgentAssertionError} `config_invalid` if the connection does not answer with a `Response`
 */
export async function answerFetch(
  connection: McpConnection,
  request: Request,
  authInfo: McpAuthInfo,
): Promise<Response> {
  if (isTransport(connection)) {
    const answer = await handle(connection, request, { authInfo });
    if (answer instanceof Response) return answer;
  } else if (hasFunction(connection, "fetch")) {
    return await (connection as McpHandler).fetch(request, { authInfo });
  }
  throw unfit(
    "fetch",
    "a WebStandardStreamableHTTPServerTransport, or what createMcpHandler gives",
  );
}

/**
 * Has a request answered through Node's `response`.
 *
 * @throws {AgentAssertionError} `config_invalid` if the connection is not for Node
 */
export async function answerNode(
  connection: McpConnection,
  request: IncomingMessage,
  response: ServerResponse,
  parsedBody: unknown,
): Promise<void> {
  if (isTransport(connection)) {
    const answer = await handle(connection, request, response, parsedBody);
    if (!(answer instanceof Response)) return;
  } else if (typeof connection === "function") {
    return await connection(request as never, response as never, parsedBody);
  }
  throw unfit("node", "Node's StreamableHTTPServerTransport, or what toNodeHandler gives");
}

function handle(transport: McpTransport, ...call: unknown[]): Promise<unknown> {
  return (transport.handleRequest as (...args: unknown[]) => Promise<unknown>)(...call);
}

function unfit(face: "fetch" | "node", expected: string): AgentAssertionError {
  return new AgentAssertionError("config_invalid", `connect must give ${face} another connection`, {
    hint: `for ${face} it gives ${expected}`,
  });
}

function hasFunction(value: unknown, name: string): boolean {
  return typeof Object(value)[name] === "function";
}
