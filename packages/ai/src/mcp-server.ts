export type { McpAuthInfo } from "./mcp-server/auth-info.js";
export { agentOf } from "./mcp-server/auth-info.js";
export type {
  McpConnection,
  McpHandler,
  McpNodeHandler,
  McpTransport,
} from "./mcp-server/connection.js";
export type { McpEndpoint } from "./mcp-server/mcp-server.js";
export { mcpServer } from "./mcp-server/mcp-server.js";
export type { McpServerOptions, McpSession } from "./mcp-server/mcp-server-options.js";
