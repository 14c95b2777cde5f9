import type {
  McpAuthInfo,
  McpConnection,
  McpSession,
  McpTransport,
} from "@countersign/ai/mcp-server";
import * as previous from "@countersign/previous-sdks";
import { NodeStreamableHTTPServerTransport, toNodeHandler } from "@modelcontextprotocol/node";
import {
  createMcpHandler,
  McpServer,
  WebStandardStreamableHTTPServerTransport,
} from "@modelcontextprotocol/server";

/** What a tool of either version is called with. */
export interface ToolCall {
  readonly authInfo: McpAuthInfo | undefined;
  readonly signal: AbortSignal;
  /** Sends a part of the answer. */
  notify(data: string): Promise<void>;
  /** Everything that the tool was called with. */
  readonly all: object;
}

/** The tools of a test's server, by name. */
export type McpTools = Readonly<Record<string, (call: ToolCall) => Promise<string>>>;

/** One way to serve MCP with one version of the SDK. */
export interface McpServing {
  readonly name: string;
  readonly version: "1" | "2";
  readonly face: "node" | "fetch";
  /** Makes the connection of a server with these tools. */
  connect(tools: McpTools, session: McpSession): Promise<McpConnection>;
}

interface TransportOptions {
  readonly sessionIdGenerator?: () => string;
  readonly enableJsonResponse?: boolean;
}

/** What this project uses of the SDK's server. */
interface ToolServer {
  registerTool(name: string, settings: { description: string }, call: never): unknown;
  connect(transport: never): Promise<void>;
}

type ServerClass<Server> = new (
  info: { name: string; version: string },
  options: { capabilities: { logging: Record<string, never> } },
) => Server;

interface Version {
  readonly version: "1" | "2";
  readonly McpServer: ServerClass<ToolServer>;
  readonly Web: new (options: TransportOptions) => McpTransport;
  readonly Node: new (options: TransportOptions) => McpTransport;
}

/** A server with the tools. */
function serverOf<Server extends ToolServer>(
  McpServer: ServerClass<Server>,
  tools: McpTools,
): Server {
  const server = new McpServer({ name: "server", version: "1" }, { capabilities: { logging: {} } });
  for (const [name, tool] of Object.entries(tools)) {
    const call = async (given: object) => ({
      content: [{ type: "text", text: await tool(toolCallOf(given)) }],
    });
    server.registerTool(name, { description: name }, call as never);
  }
  return server;
}

interface GivenToTool {
  // Version 1.
  readonly authInfo?: McpAuthInfo;
  readonly signal?: AbortSignal;
  readonly sendNotification?: Notify;
  // Version 2.
  readonly http?: { readonly authInfo?: McpAuthInfo };
  readonly mcpReq?: { readonly signal: AbortSignal; readonly notify: Notify };
}

type Notify = (notification: object) => Promise<void>;

function toolCallOf(all: GivenToTool): ToolCall {
  const { authInfo, http, signal, mcpReq, sendNotification } = all;
  const notify = sendNotification ?? mcpReq?.notify;
  return {
    all,
    authInfo: authInfo ?? http?.authInfo,
    signal: signal ?? mcpReq?.signal ?? AbortSignal.abort(),
    notify: async (data) =>
      await notify?.({ method: "notifications/message", params: { level: "info", data } }),
  };
}

function servings({ version, ...sdk }: Version): McpServing[] {
  return (["node", "fetch"] as const).flatMap((face) => {
    const Transport = face === "node" ? sdk.Node : sdk.Web;
    const connectWith = async (tools: McpTools, options: TransportOptions) => {
      const transport = new Transport(options);
      await serverOf(sdk.McpServer, tools).connect(transport as never);
      return transport;
    };
    const name = `SDK ${version} on ${face === "node" ? "Express" : "Request and Response"}`;
    const common = { version, face };
    return [
      {
        ...{ ...common, name: `${name}, with sessions` },
        connect: (tools: McpTools, session: McpSession) => connectWith(tools, { ...session }),
      },
      {
        ...{ ...common, name: `${name}, with sessions and JSON` },
        connect: (tools: McpTools, session: McpSession) =>
          connectWith(tools, { ...session, enableJsonResponse: true }),
      },
      {
        ...{ ...common, name: `${name}, without sessions` },
        connect: (tools: McpTools) => connectWith(tools, {}),
      },
    ];
  });
}

const ALL: readonly McpServing[] = [
  ...servings({
    version: "2",
    ...{ McpServer, Web: WebStandardStreamableHTTPServerTransport },
    Node: NodeStreamableHTTPServerTransport,
  }),
  ...servings({
    version: "1",
    ...{ McpServer: previous.McpServer, Web: previous.WebStandardStreamableHTTPServerTransport },
    Node: previous.StreamableHTTPServerTransport,
  }),
];

/** Each way to serve MCP that has sessions, and answers by events. */
export const WITH_SESSIONS = ALL.filter(({ name }) => name.endsWith("with sessions"));

/** Each way that has sessions, and answers by one JSON value. */
export const WITH_JSON = ALL.filter(({ name }) => name.endsWith("JSON"));

/** Each way that has no sessions. */
export const WITHOUT_SESSIONS: readonly McpServing[] = [
  ...ALL.filter(({ name }) => name.endsWith("without sessions")),
  {
    ...{ name: "createMcpHandler of SDK 2 on Request and Response", version: "2", face: "fetch" },
    connect: async (tools) => createMcpHandler(() => serverOf(McpServer, tools)),
  },
  {
    ...{ name: "createMcpHandler of SDK 2 on Express", version: "2", face: "node" },
    connect: async (tools) => toNodeHandler(createMcpHandler(() => serverOf(McpServer, tools))),
  },
];
