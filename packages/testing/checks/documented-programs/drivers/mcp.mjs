import assert from "node:assert/strict";
import { createServer } from "node:http";
// @boundaries-ignore installed beside the programs
import { createVerifier } from "@countersign/agent-assertion";
// @boundaries-ignore installed beside the programs
import { remoteDirectory } from "@countersign/agent-assertion/remote-directory";
// @boundaries-ignore installed beside the programs
import { getRequestListener } from "@hono/node-server";
import { callTool } from "./call-tool.js";
import { createMcpApp } from "./express-server.js";
import { createMcpFetch } from "./fetch-server.js";
import { endServers, listen } from "./listen.mjs";
import { openThread } from "./open-thread.mjs";

const { AUTHORITY } = process.env;
const { thread, close } = openThread();
const verifier = createVerifier({ directory: remoteDirectory(AUTHORITY) });
for (const serve of [createMcpApp(verifier), getRequestListener(createMcpFetch(verifier).fetch)]) {
  const url = `${await listen(createServer(serve))}/mcp`;
  const { content } = await callTool(thread, url, "whoami");
  assert.match(content[0].text, /^agent_\S+ in task_\S+ for acct-1$/);
  assert.equal((await fetch(url, { method: "POST", body: "{}" })).status, 401);
}
await close();
endServers();
