import { once } from "node:events";
import { createServer, type IncomingMessage, STATUS_CODES } from "node:http";
import type { AddressInfo } from "node:net";
import { onTestFinished } from "vitest";
import { WebSocketServer } from "ws";
import type { Problem } from "../src/index.js";

/** A WebSocket server that answers each dial by a function: a refusal, or nothing to let it in. It greets at once. */
export async function startWebSocketServer(
  answer: (request: IncomingMessage) => Problem | undefined,
) {
  const server = createServer();
  const sockets = new WebSocketServer({ noServer: true });
  const dials: (string | undefined)[] = [];
  const targets: (string | undefined)[] = [];
  server.on("upgrade", (request, socket, head) => {
    dials.push(request.headers.authorization);
    targets.push(request.url);
    const problem = answer(request);
    if (problem === undefined) {
      // In one packet: the client gets the message together with the handshake's answer.
      socket.cork();
      sockets.handleUpgrade(request, socket, head, (webSocket) => webSocket.send("welcome"));
      socket.uncork();
      return;
    }
    const { status, headers, body } = problem;
    const fields = Object.entries({ ...headers, "content-length": Buffer.byteLength(body) });
    const lines = fields.map(([name, value]) => `${name}: ${value}\r\n`).join("");
    socket.end(`HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${lines}\r\n${body}`);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
    for (const client of sockets.clients) client.terminate();
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return { url: `ws://127.0.0.1:${port}`, dials, targets };
}
