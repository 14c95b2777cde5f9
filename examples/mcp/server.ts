import { createVerifier } from "@countersign/agent-assertion";
import { remoteDirectory } from "@countersign/agent-assertion/remote-directory";
import { agentOf, mcpServer } from "@countersign/ai/mcp-server";
import { serve } from "@hono/node-server";
import { createMcpHandler, McpServer } from "@modelcontextprotocol/server";

const { AUTHORITY = "http://127.0.0.1:4600", PORT = "4700" } = process.env;

// Without sessions: each request has a server of its own.
const handler = createMcpHandler(() => {
  const server = new McpServer({ name: "directory", version: "1.0.0" });
  server.registerTool("whoami", { description: "Names the caller." }, ({ http }) => {
    const { agentRuntimeId, accountId } = agentOf(http?.authInfo);
    return { content: [{ type: "text", text: `${agentRuntimeId} of ${accountId}` }] };
  });
  return server;
});
const verifier = createVerifier({ directory: remoteDirectory(AUTHORITY) });
const { fetch } = mcpServer({ verifier, connect: () => handler });

serve({ fetch, hostname: "127.0.0.1", port: Number(PORT) }, ({ port }) =>
  console.log(`listening on http://127.0.0.1:${port}`),
);
