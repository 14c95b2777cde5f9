import { MODEL_ANSWER } from "./model-api.js";
import type { UpstreamAnswer, UpstreamHandler, UpstreamRequest } from "./test-upstream.js";

/** What this project uses of the MCP server; `Transport` is what its two classes hand to each other. */
export interface McpServerSdk<Transport> {
  readonly McpServer: new (info: {
    name: string;
    version: string;
  }) => {
    registerTool(
      name: string,
      settings: { description: string },
      call: () => { content: { type: "text"; text: string }[] },
    ): unknown;
    connect(transport: Transport): Promise<void>;
  };
  readonly WebStandardStreamableHTTPServerTransport: new (options: {
    enableJsonResponse: boolean;
  }) => Transport & { handleRequest(request: Request): Promise<Response> };
}

/** An MCP server without sessions: it has the tool `hello`, and answers as JSON at `/mcp/json`, as events elsewhere. */
export function mcpApi<Transport>(sdk: McpServerSdk<Transport>): UpstreamHandler {
  return async (request) => {
    // It opens no stream of its own, which a GET asks for.
    if (request.method !== "POST") return { status: 405 };
    const server = new sdk.McpServer({ name: "server", version: "1" });
    server.registerTool("hello", { description: "Says hello." }, () => ({
      content: [{ type: "text", text: MODEL_ANSWER }],
    }));
    const enableJsonResponse = request.url === "/mcp/json";
    const transport = new sdk.WebStandardStreamableHTTPServerTransport({ enableJsonResponse });
    await server.connect(transport);
    return answerOf(await transport.handleRequest(webRequest(request)));
  };
}

function webRequest({ method, url, rawHeaders, body }: UpstreamRequest): Request {
  const headers = rawHeaders.map(([name, value]) => [name, value] as [string, string]);
  return new Request(new URL(url, "http://127.0.0.1"), { method, headers, body });
}

async function answerOf(response: Response): Promise<UpstreamAnswer> {
  const { status, headers, body } = response;
  if (headers.get("content-type") === "text/event-stream" && body !== null) {
    return { kind: "events", events: dataOf(body) };
  }
  return { status, headers: Object.fromEntries(headers), body: await response.text() };
}

/** The data of each event, as soon as its line is whole. */
async function* dataOf(body: ReadableStream<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let rest = "";
  for await (const chunk of body) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) if (line.startsWith("data: ")) yield line.slice("data: ".length);
  }
}
