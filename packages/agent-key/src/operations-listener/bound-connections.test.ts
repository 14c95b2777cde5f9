import { once } from "node:events";
import { createServer } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import { boundConnections } from "./bound-connections.js";

async function start(bounds: Parameters<typeof boundConnections>[1]) {
  const server = createServer((_, response) => void response.end("ok"));
  boundConnections(server, bounds);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  const open = async () => {
    const socket = connect(port, "127.0.0.1");
    onTestFinished(() => void socket.destroy());
    socket.on("error", () => {});
    socket.resume();
    await once(socket, "connect");
    return socket;
  };
  return { open, url: `http://127.0.0.1:${port}` };
}

test.each(["", "GET /healthz HTTP/1.1\r\nHost:"])(
  "a connection that is silent after %j is closed",
  async (bytes) => {
    const { open } = await start({ maxConnections: 9, silentMs: 20 });
    const socket = await open();
    socket.write(bytes);
    await once(socket, "close");
  },
);

test("the oldest of too many connections makes room, and the newest is served", async () => {
  const { open, url } = await start({ maxConnections: 2, silentMs: 60_000 });
  const first = await open();
  const second = await open();
  const firstClosed = once(first, "close");
  const third = await open();
  await firstClosed;
  const secondClosed = once(second, "close");
  expect(await (await fetch(url)).text()).toBe("ok");
  await secondClosed;
  expect(third.destroyed).toBe(false);
});
