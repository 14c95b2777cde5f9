import type { AssertionVerifier } from "@countersign/agent-assertion";
import { mcpServer } from "@countersign/ai/mcp-server";
import { createMcpHandler } from "@modelcontextprotocol/server";
import { createServer } from "./express-server.js";

/** A server without sessions, for runtimes on Request and Response: `export default createMcpFetch(verifier)`. */
export function createMcpFetch(verifier: AssertionVerifier) {
  const handler = createMcpHandler(createServer);
  const { fetch } = mcpServer({ verifier, connect: () => handler });
  return { fetch };
}
