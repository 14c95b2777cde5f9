import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { expect, onTestFinished, test, vi } from "vitest";
import { closeFrame } from "../body/websocket-frames.js";
import { Tunnel } from "./tunnel.js";

const CLOSE = closeFrame(1000, "", false);
/** An unmasked text frame of one letter. */
const frameOf = (letter: string) => Buffer.from([0x81, 1, letter.charCodeAt(0)]);

/** Both ends of a connection. */
async function connectPair(): Promise<{ far: Socket; near: Socket }> {
  const server = createServer({ allowHalfOpen: true });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const far = connect({ host: "127.0.0.1", port, allowHalfOpen: true });
  const [near] = (await once(server, "connection")) as [Socket];
  server.close();
  onTestFinished(() => {
    far.destroy();
    near.destroy();
  });
  return { far, near };
}

async function startTunnel() {
  const client = await connectPair();
  const upstream = await connectPair();
  const moved: [side: string, bytes: number][] = [];
  const onEnd = vi.fn();
  const tunnel = new Tunnel({
    ...{ client: client.near, upstream: upstream.near, idleMs: 60_000, onEnd },
    onBytes: (side, bytes) => moved.push([side, bytes]),
  });
  tunnel.start();
  return { tunnel, client: client.far, upstream: upstream.far, moved, onEnd };
}

test("passes nothing on after it was ended, and counts none of it", async () => {
  const { tunnel, client, upstream, moved } = await startTunnel();
  upstream.write(frameOf("x"));
  expect((await once(client, "data"))[0]).toEqual(frameOf("x"));
  tunnel.end("timeout");
  upstream.write(frameOf("y"));
  const parts: Buffer[] = [];
  client.on("data", (part: Buffer) => parts.push(part));
  await once(client, "end");
  upstream.end();
  client.end();
  await once(upstream.resume(), "close");
  expect(Buffer.concat(parts)).toEqual(closeFrame(1001, "timeout", false));
  expect(moved).toEqual([["upstream", 3]]);
});

test("ends a side that had its close frame already without waiting for the other's goodbye", async () => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  onTestFinished(() => void vi.useRealTimers());
  const { tunnel, client, upstream } = await startTunnel();
  upstream.write(CLOSE);
  expect((await once(client, "data"))[0]).toEqual(CLOSE);
  tunnel.end("timeout");
  const rest: Buffer[] = [];
  client.on("data", (part: Buffer) => rest.push(part));
  // The clock stands still: nothing but the tunnel's own end is waited for.
  await once(client, "end");
  expect(rest).toEqual([]);
  upstream.end();
});
