import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";

/** One request as the upstream received it. */
export interface UpstreamRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingMessage["headers"];
  readonly bodyBytes: number;
}

/** A Responses API that answers every `POST …/responses` with one streamed message. */
export interface StubResponsesApi {
  readonly url: string;
  readonly requests: readonly UpstreamRequest[];
  close(): Promise<void>;
}

const EVENTS: readonly (readonly [string, object])[] = [
  ["response.created", { response: { id: "resp_1" } }],
  [
    "response.output_item.done",
    {
      item: {
        type: "message",
        role: "assistant",
        id: "msg_1",
        content: [{ type: "output_text", text: "hello" }],
      },
    },
  ],
  [
    "response.completed",
    {
      response: {
        id: "resp_1",
        usage: {
          input_tokens: 1,
          input_tokens_details: null,
          output_tokens: 1,
          output_tokens_details: null,
          total_tokens: 2,
        },
      },
    },
  ],
];

/** Starts the stub on a free port of loopback. */
export async function startStubResponsesApi(): Promise<StubResponsesApi> {
  const requests: UpstreamRequest[] = [];
  const server = createServer((request, response) => {
    let bodyBytes = 0;
    request.on("data", (chunk: Buffer) => {
      bodyBytes += chunk.length;
    });
    request.on("end", () => {
      const { method = "", url: path = "", headers } = request;
      requests.push({ method, path, headers, bodyBytes });
      if (method !== "POST" || !path.endsWith("/responses")) {
        response.writeHead(404).end();
        return;
      }
      response.writeHead(200, { "content-type": "text/event-stream" });
      for (const [type, data] of EVENTS) {
        response.write(`event: ${type}\ndata: ${JSON.stringify({ type, ...data })}\n\n`);
      }
      response.end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    requests,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
