import type { AssertionVerifier } from "@countersign/agent-assertion";
import { agentOf, mcpServer } from "@countersign/ai/mcp-server";
import { NodeStreamableHTTPServerTransport } from "@modelcontextprotocol/node";
import { McpServer } from "@modelcontextprotocol/server";
import express, { type Express } from "express";

/** A server with sessions, on Express. */
export function createMcpApp(verifier: AssertionVerifier): Express {
  const endpoint = mcpServer({
    verifier,
    onError: (error) => console.error(error),
    async connect(session) {
      const server = createServer();
      const transport = new NodeStreamableHTTPServerTransport(session);
      await server.connect(transport);
      return transport;
    },
  });
  return express().all("/mcp", endpoint.node);
}

export function createServer(): McpServer {
  const server = new McpServer({ name: "server", version: "1.0.0" });
  server.registerTool("whoami", { description: "Names the caller." }, async ({ http }) => {
    const { agentRuntimeId, taskId, accountId } = agentOf(http?.authInfo);
    const text = `${agentRuntimeId} in ${taskId} for ${accountId}`;
    return { content: [{ type: "text", text }] };
  });
  return server;
}
