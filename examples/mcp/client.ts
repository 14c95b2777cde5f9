import { connectAgent } from "@countersign/agent";
import { mcp } from "@countersign/ai";
import { Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";

const { AUTHORITY = "http://127.0.0.1:4600", API = "http://127.0.0.1:4700" } = process.env;
const agent = connectAgent({
  authority: AUTHORITY,
  accessToken: process.env.ACCESS_TOKEN ?? "",
  home: "~/.my-agent",
  origins: [API],
});
const thread = agent.thread("thread-42");

const url = `${API}/mcp`;
const client = new Client({ name: "my-agent", version: "1.0.0" });
await client.connect(new StreamableHTTPClientTransport(new URL(url), mcp(thread, url)));
const { content } = await thread.run(() => client.callTool({ name: "whoami" }));
console.log(content);
await client.close();
await agent.close();
