import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

/** A request as the API behind the gateway received it. */
export interface ReceivedRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
}

/** An API that answers every request with three server-sent events. */
export interface StubApi extends AsyncDisposable {
  readonly url: string;
  readonly received: readonly ReceivedRequest[];
}

/** Starts the {@link StubApi} on loopback. */
export async function startStubApi(): Promise<StubApi> {
  const received: ReceivedRequest[] = [];
  const server = createServer((request, response) => {
    const { method = "", url = "", headers } = request;
    received.push({ method, path: url, headers });
    request.resume();
    request.on("end", () => {
      response.writeHead(200, { "content-type": "text/event-stream" });
      for (const word of ["hello", "from", "the API"]) response.write(`data: ${word}\n\n`);
      response.end();
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    received,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}
