import { type AddressInfo, connect, createServer, type Socket } from "node:net";

/** A TCP relay that keeps every byte that passes. */
export interface WireTap {
  /** Origin, without a slash at the end. */
  readonly url: string;
  /** Names the server that is relayed to. Must be called before the first connection. */
  relayTo(origin: string): void;
  /** All bytes that arrived, in the order of the connections, one character for each byte. */
  received(): string;
  /** The status of each answer that went back to a client, interim ones too. */
  statuses(): number[];
  /** The values of the header lines of this name, in order. */
  values(name: string): string[];
}

/** A {@link WireTap} that ends when it is closed. */
export interface OpenWireTap extends WireTap {
  close(): Promise<void>;
}

/** Starts a {@link WireTap} on a free port of loopback. */
export async function openWireTap(): Promise<OpenWireTap> {
  const connections: Buffer[][] = [];
  const answers: Buffer[][] = [];
  const sockets = new Set<Socket>();
  let port = 0;
  const server = createServer((client) => {
    const chunks: Buffer[] = [];
    const answered: Buffer[] = [];
    connections.push(chunks);
    answers.push(answered);
    const upstream = connect(port, "127.0.0.1");
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      // An end that breaks off ends the other one: no test looks at the error itself.
      socket
        .on("error", () => undefined)
        .on("close", () => {
          client.destroy();
          upstream.destroy();
        });
    }
    client.on("data", (chunk: Buffer) => chunks.push(chunk));
    upstream.on("data", (chunk: Buffer) => answered.push(chunk));
    client.pipe(upstream).pipe(client);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const textOf = (those: readonly Buffer[][]) =>
    those.map((chunks) => Buffer.concat(chunks).toString("latin1")).join("\n");
  const received = () => textOf(connections);
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    relayTo(origin) {
      port = Number(new URL(origin).port);
    },
    received,
    statuses: () =>
      [...textOf(answers).matchAll(/^HTTP\/1\.1 (\d{3})/gm)].map((line) => Number(line[1])),
    values: (name) =>
      [...received().matchAll(new RegExp(`^${name}:[ \\t]*(.*?)\\r$`, "gim"))].map(
        (line) => line[1] ?? "",
      ),
    async close() {
      const closed = new Promise((resolve) => server.close(resolve));
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}
