import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** @internal A server on a free loopback port. */
export interface LoopbackServer {
  readonly origin: string;
  /** Ends every connection and refuses new ones until `start`. */
  stop(): Promise<void>;
  /** Listens again, on the same port. */
  start(): Promise<void>;
  /** Ends every connection, also those that hang. */
  close(): Promise<void>;
}

/** @internal */
export async function startLoopbackServer(
  handle: (request: IncomingMessage, response: ServerResponse) => Promise<void>,
): Promise<LoopbackServer> {
  const server = createServer((request, response) => {
    handle(request, response).catch(() => {
      // The caller went away while the request was read, or the handler of a test threw: either way there is no answer.
      response.destroy();
    });
  });
  const listen = async (port: number): Promise<void> => {
    server.listen(port, "127.0.0.1");
    await once(server, "listening");
  };
  await listen(0);
  const { port } = server.address() as AddressInfo;
  let closed: Promise<void> | undefined;
  const stop = () =>
    new Promise<void>((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
  return {
    origin: `http://127.0.0.1:${port}`,
    stop,
    start: () => listen(port),
    close() {
      closed ??= stop();
      return closed;
    },
  };
}
