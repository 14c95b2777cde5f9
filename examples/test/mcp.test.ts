import { createServer, type RequestListener } from "node:http";
import type { AssertionVerifier } from "@countersign/agent-assertion";
import { getRequestListener } from "@hono/node-server";
import { expect, onTestFinished, test } from "vitest";
import { callTool } from "../mcp/call-tool.js";
import { createMcpApp } from "../mcp/express-server.js";
import { createMcpFetch } from "../mcp/fetch-server.js";
import { createBoundVerifier } from "../verify/bound-verifier.js";
import { end, listen, startWorld } from "./world.js";

test.each<[string, (verifier: AssertionVerifier) => RequestListener, string[]]>([
  ["on Express, in a session that ends", createMcpApp, ["DELETE"]],
  [
    "on Request and Response, without a session",
    (verifier) => getRequestListener(createMcpFetch(verifier).fetch),
    [],
  ],
])("the MCP server %s names the agent that calls it", async (_, create, ends) => {
  const { authority, thread } = await startWorld();
  const server = createServer();
  onTestFinished(() => end(server));
  const origin = await listen(server);
  const methods: unknown[] = [];
  server.on("request", ({ method }) => void methods.push(method));
  server.on("request", create(createBoundVerifier(authority, origin)));
  const { agentRuntimeId, taskId } = (await thread.ensure()) ?? {};
  const content = [{ text: `${agentRuntimeId} in ${taskId} for acct-1` }];
  expect(await callTool(thread, `${origin}/mcp`, "whoami")).toMatchObject({ content });
  expect(methods.filter((method) => method === "DELETE")).toEqual(ends);
});
