import type { IncomingMessage, Server } from "node:http";
import { WebSocketServer } from "ws";
import { RESPONSE_EVENTS } from "./stub-answers.ts";

/** One handshake as the upstream received it, and what came through the connection after it. */
export interface UpstreamSocket {
  readonly path: string;
  readonly headers: IncomingMessage["headers"];
  /** The messages, in order. */
  readonly messages: readonly string[];
}

/**
 * Serves WebSockets at `…/responses`: each message is a `response.create` and is answered with the events of one response. Connections
 * are compressed where the client offers it, as those of the real API are.
 *
 * @param sockets - each handshake is added here
 * @param isServed - whether a handshake is answered with 101; else with 426
 */
export function acceptWebSockets(
  server: Server,
  sockets: UpstreamSocket[],
  isServed: () => boolean,
): { close(): void } {
  const webSockets = new WebSocketServer({ noServer: true, perMessageDeflate: true });
  server.on("upgrade", (request, connection, head) => {
    const messages: string[] = [];
    sockets.push({ path: request.url ?? "", headers: request.headers, messages });
    if (!isServed() || !request.url?.endsWith("/responses")) {
      connection.end(
        "HTTP/1.1 426 Upgrade Required\r\ncontent-length: 0\r\nconnection: close\r\n\r\n",
      );
      return;
    }
    webSockets.handleUpgrade(request, connection, head, (socket) => {
      // Clients go away without a closing handshake.
      socket.on("error", () => undefined);
      socket.on("message", (data) => {
        messages.push(String(data));
        for (const event of RESPONSE_EVENTS) socket.send(JSON.stringify(event));
      });
    });
  });
  return {
    close: () => {
      for (const socket of webSockets.clients) socket.terminate();
      webSockets.close();
    },
  };
}
