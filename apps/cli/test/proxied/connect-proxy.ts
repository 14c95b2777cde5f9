import { once } from "node:events";
import { createServer, request } from "node:http";
import { type AddressInfo, connect, type Socket } from "node:net";
import { onTestFinished } from "vitest";

/** A company's proxy on loopback: the only one that knows where `authority.test` is. */
export interface ConnectProxy {
  readonly url: string;
  /** What it was asked for, in order: `host:port` of a tunnel, or a whole URL. */
  readonly asked: string[];
}

/** Starts a proxy that reaches every name on loopback, or one that refuses everything with 403, or one that never answers a CONNECT. It ends with the test. */
export async function startConnectProxy({
  refuses = false,
  isSilent = false,
} = {}): Promise<ConnectProxy> {
  const asked: string[] = [];
  const sockets = new Set<Socket>();
  const server = createServer((incoming, answer) => {
    asked.push(incoming.url ?? "");
    if (refuses) return void answer.writeHead(403).end();
    const { port, pathname } = new URL(incoming.url ?? "");
    const { method, headers } = incoming;
    const onward = request({ host: "127.0.0.1", port, path: pathname, method, headers });
    onward.on("response", (response) => {
      answer.writeHead(response.statusCode ?? 502, response.headers);
      response.pipe(answer);
    });
    onward.on("error", () => answer.destroy());
    incoming.pipe(onward);
  });
  server.on("connect", (incoming, socket: Socket, head) => {
    asked.push(incoming.url ?? "");
    if (refuses) return void socket.end("HTTP/1.1 403 Forbidden\r\n\r\n");
    if (isSilent) return void sockets.add(socket);
    const onward = connect(Number(incoming.url?.split(":").at(-1)), "127.0.0.1");
    onward.once("connect", () => {
      socket.write("HTTP/1.1 200 OK\r\n\r\n");
      onward.write(head);
      onward.pipe(socket).pipe(onward);
    });
    for (const end of [socket, onward]) {
      sockets.add(end);
      const other = end === socket ? onward : socket;
      end.on("error", () => undefined).on("close", () => other.destroy());
    }
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(async () => {
    for (const socket of sockets) socket.destroy();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, asked };
}
