import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import { isLingering, linger } from "./linger.js";

const BOUNDS = { maxBytes: 1_000_000, maxMs: 60_000, idleMs: 60_000 };

/** Both ends of a connection. */
async function connected(): Promise<{ readonly client: Socket; readonly socket: Socket }> {
  const server = createServer({ allowHalfOpen: true });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const client = connect({ host: "127.0.0.1", port, allowHalfOpen: true });
  client.on("error", () => {});
  const [socket] = (await once(server, "connection")) as [Socket];
  onTestFinished(() => {
    client.destroy();
    socket.destroy();
    server.close();
  });
  return { client, socket };
}

test("a client that goes on sending reads the whole answer, and then the end", async () => {
  const { client, socket } = await connected();
  // These bytes are not read yet.
  client.write(Buffer.alloc(500_000));
  socket.write("answer");
  linger(socket, BOUNDS);
  expect(isLingering(socket)).toBe(true);
  let text = "";
  client.on("data", (chunk: Buffer) => {
    text += chunk.toString("latin1");
  });
  await once(client, "end");
  expect(text).toBe("answer");
  client.end(Buffer.alloc(400_000));
  const [hadError] = await once(client, "close");
  expect(hadError).toBe(false);
  if (!socket.closed) await once(socket, "close");
  expect(socket.bytesRead).toBe(900_000);
});

test("a client that sends more than is read has its connection reset", async () => {
  const { client, socket } = await connected();
  linger(socket, { ...BOUNDS, maxBytes: 100_000 });
  client.resume();
  const failed = new Promise((resolve) => client.once("close", resolve));
  client.write(Buffer.alloc(10_000_000));
  await once(socket, "close");
  expect(socket.bytesRead).toBeGreaterThan(100_000);
  expect(await failed).toBe(true);
});

test("a client that neither sends nor ends has its connection closed after a while", async () => {
  const { client, socket } = await connected();
  client.resume();
  linger(socket, { ...BOUNDS, idleMs: 20 });
  await once(socket, "close");
});

test("a client that sends a little again and again has its connection closed after a longer while", async () => {
  const { client, socket } = await connected();
  client.resume();
  const sending = setInterval(() => client.write("x"), 1);
  onTestFinished(() => clearInterval(sending));
  linger(socket, { ...BOUNDS, maxMs: 50 });
  await once(socket, "close");
  expect(socket.bytesRead).toBeGreaterThan(1);
});

test("nothing that a client sends after its answer is read as another request", async () => {
  const { client, socket } = await connected();
  const seen: Buffer[] = [];
  socket.on("data", (chunk: Buffer) => seen.push(chunk));
  linger(socket, BOUNDS);
  client.end("GET / HTTP/1.1\r\n\r\n");
  client.resume();
  await once(socket, "close");
  expect(seen).toEqual([]);
});
