import { mcp, type SignedBy } from "@countersign/ai";
import { Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";

export async function callTool(thread: SignedBy, url: string, name: string): Promise<object> {
  const client = new Client({ name: "agent", version: "1.0.0" });
  const signed = mcp(thread, url, { binding: true });
  const transport = new StreamableHTTPClientTransport(new URL(url), signed);
  await client.connect(transport);
  try {
    return await client.callTool({ name });
  } finally {
    await transport.terminateSession();
    await client.close();
  }
}
