import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import { LingeringSockets } from "./lingering-sockets.js";

/** The server's ends of connections whose clients never end theirs. */
async function connected(count: number): Promise<readonly Socket[]> {
  const server = createServer({ allowHalfOpen: true });
  onTestFinished(() => void server.close());
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const sockets: Socket[] = [];
  for (let index = 0; index < count; index += 1) {
    const client = connect({ host: "127.0.0.1", port, allowHalfOpen: true });
    client.on("error", () => {}).resume();
    const [socket] = (await once(server, "connection")) as [Socket];
    onTestFinished(() => {
      client.destroy();
      socket.destroy();
    });
    sockets.push(socket);
  }
  return sockets;
}

test("of too many, the oldest one is closed", async () => {
  const sockets = await connected(4);
  const lingering = new LingeringSockets(2);
  for (const socket of sockets) lingering.add(socket);
  expect(sockets.map(({ destroyed }) => destroyed)).toEqual([true, true, false, false]);
});

test("one that is closed leaves its place to another", async () => {
  const [first, second, ...others] = await connected(3);
  if (first === undefined || second === undefined) expect.unreachable();
  const lingering = new LingeringSockets(2);
  lingering.add(first);
  lingering.add(second);
  second.destroy();
  await once(second, "close");
  for (const socket of others) lingering.add(socket);
  expect([first, ...others].map(({ destroyed }) => destroyed)).toEqual([false, false]);
});

test("all are closed together", async () => {
  const sockets = await connected(2);
  const lingering = new LingeringSockets();
  for (const socket of sockets) lingering.add(socket);
  lingering.destroy();
  expect(sockets.map(({ destroyed }) => destroyed)).toEqual([true, true]);
});
