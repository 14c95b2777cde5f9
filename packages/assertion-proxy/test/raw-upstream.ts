import { once } from "node:events";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { onTestFinished } from "vitest";
import { ByteWatcher } from "./byte-watcher.js";

/** One connection that an upstream accepted; `bytes` is all that came on it. */
export interface RawConnection {
  readonly bytes: ByteWatcher;
  readonly socket: Socket;
}

/** An upstream that understands nothing: it shows the bytes that reach it and sends the bytes it is told. */
export interface RawUpstream {
  readonly url: string;
  readonly connections: readonly RawConnection[];
  /** Waits for the connection of that number, from 0. */
  connection(index: number): Promise<RawConnection>;
}

export const OK = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";

/**
 * Starts an upstream on a free loopback port.
 *
 * @param answer - what to send, once, when a connection's bytes end a head with `\r\n\r\n`; `undefined`: the test answers itself
 */
export async function startRawUpstream(answer: string | undefined = OK): Promise<RawUpstream> {
  const connections: RawConnection[] = [];
  const waiting: (() => void)[] = [];
  const server = createServer((socket) => {
    socket.on("error", () => {});
    const bytes = new ByteWatcher(socket);
    connections.push({ bytes, socket });
    for (const wake of waiting.splice(0)) wake();
    if (answer !== undefined) {
      bytes.until("\r\n\r\n").then(
        () => socket.write(answer, "latin1"),
        () => {},
      );
    }
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(async () => {
    for (const { socket } of connections) socket.destroy();
    server.close();
    await once(server, "close");
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    connections,
    async connection(index) {
      while (connections.length <= index) {
        await new Promise<void>((resolve) => waiting.push(resolve));
      }
      return connections[index] as RawConnection;
    },
  };
}
