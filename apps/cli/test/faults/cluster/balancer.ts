import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";

/** What clients connect to in front of several servers, as a load balancer on TCP does it. */
export interface Balancer {
  readonly url: string;
  close(): Promise<void>;
}

/**
 * Starts a balancer on loopback. Each connection goes to the next server in turn, or to another one where that does not answer; what happens
 * to a server afterwards happens to its connections.
 *
 * @param servers - gives the URLs of the servers as they are now; `undefined` for one that is down
 */
export async function startBalancer(
  servers: () => readonly (string | undefined)[],
): Promise<Balancer> {
  const open = new Set<Socket>();
  let next = 0;
  const keep = (socket: Socket) => {
    open.add(socket);
    socket.on("error", () => {}).once("close", () => open.delete(socket));
  };
  const server = createServer(async (client) => {
    keep(client);
    next += 1;
    const up = servers().filter((url) => url !== undefined);
    for (let index = 0; index < up.length; index += 1) {
      const upstream = await dial(up[(next + index) % up.length] as string);
      if (upstream === undefined) continue;
      keep(upstream);
      client.pipe(upstream).pipe(client);
      client.once("close", () => upstream.destroy());
      // As the server's own end: a client that waits for an answer sees a reset.
      upstream.once("close", () => client.destroy());
      if (client.destroyed) upstream.destroy();
      return;
    }
    client.destroy();
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async close() {
      server.close();
      for (const socket of open) socket.destroy();
      await once(server, "close");
    },
  };
}

async function dial(url: string): Promise<Socket | undefined> {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  try {
    await once(socket, "connect");
    return socket;
  } catch {
    return undefined;
  }
}
