import { once } from "node:events";
import { connect } from "node:net";
import { startTestUpstream } from "@countersign/testing";
import { expect, onTestFinished, test } from "vitest";
import { ByteWatcher } from "./byte-watcher.js";
import { connectRaw, readAnswer, sendRaw } from "./raw-client.js";
import { startGateway } from "./start-gateway.js";
import { startSigningProxy } from "./start-signing-proxy.js";
import { openTunnel, textFrame } from "./websocket-bytes.js";

const CLOSE = /^connection: close\r$/im;

/** Whether a new connection is taken. */
async function isOpen(url: string): Promise<boolean> {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  try {
    await once(socket, "connect");
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}

test.each([-1, Number.NaN, 2 ** 31])("close refuses delayMs %s", async (delayMs) => {
  const { gateway } = await startGateway({ upstream: "http://127.0.0.1:1" });
  await expect(gateway.close({ delayMs })).rejects.toMatchObject({ code: "config_invalid" });
  expect(gateway.isReady()).toBe(true);
});

test("a gateway that is to end serves all that comes in the delay, and ends each connection with its answer (G-G21)", async () => {
  const upstream = await startTestUpstream(() => ({ body: "ok" }));
  onTestFinished(() => upstream.close());
  const { gateway, url, request } = await startGateway({ upstream: upstream.url });
  const kept = await connectRaw(url);
  const closed = gateway.close({ delayMs: 1_000 });
  expect(gateway.isReady()).toBe(false);
  const early = await sendRaw(url, request("GET", "/new"));
  expect(early).toMatchObject({ status: 200 });
  expect(early.head).toMatch(CLOSE);
  await expect.poll(() => isOpen(url)).toBe(false);
  // The connection was idle all the time; a proxy in front may send on it until it is ended.
  kept.send(request("GET", "/kept"));
  const late = await readAnswer(kept);
  expect(late.status).toBe(200);
  expect(late.head).toMatch(CLOSE);
  await kept.bytes.closed;
  await closed;
});

test("a gateway that is busy at the end of the delay serves the connections that wait for it (G-G21)", async () => {
  const upstream = await startTestUpstream(() => ({ body: "ok" }));
  onTestFinished(() => upstream.close());
  const { gateway, url, request } = await startGateway({ upstream: upstream.url });
  const { hostname, port } = new URL(url);
  const begun = performance.now();
  // As long again to answer them: on a busy machine that takes a while too.
  const closed = gateway.close({ delayMs: 1_000 });
  const answers = Array.from({ length: 8 }, () => {
    const socket = connect(Number(port), hostname);
    onTestFinished(() => void socket.destroy());
    socket.on("error", () => {});
    const bytes = new ByteWatcher(socket);
    socket.write(request("POST", "/v1", "Content-Length: 0\r\n"));
    return bytes.until("ok");
  });
  // The system makes the connections, and the delay ends before the gateway accepts one.
  await new Promise(process.nextTick);
  while (performance.now() < begun + 1_050);
  for (const answer of await Promise.all(answers)) expect(answer).toMatch(/^HTTP\/1\.1 200 /);
  await closed;
});

test("a refusal in the delay ends its connection too", async () => {
  const signing = await startSigningProxy({ upstream: "http://127.0.0.1:1" });
  const closed = signing.proxy.close({ delayMs: 100 });
  const answer = await sendRaw(signing.url, `GET / HTTP/1.1\r\nHost: ${signing.host}\r\n\r\n`);
  expect(answer.status).toBe(401);
  expect(answer.head).toMatch(CLOSE);
  await closed;
});

test("an idle connection does not outlast the delay twice", async () => {
  const { gateway, url } = await startGateway({ upstream: "http://127.0.0.1:1" });
  const kept = await connectRaw(url);
  await gateway.close({ delayMs: 50, drainMs: 600_000 });
  await kept.bytes.closed;
  expect(kept.bytes.text).toBe("");
});

test("a WebSocket goes on through the delay, and is ended with a close frame at the end of the drain", async () => {
  const { client, connection, gateway } = await openTunnel();
  const closed = gateway.gateway.close({ delayMs: 50, drainMs: 200 });
  await expect.poll(() => isOpen(gateway.url)).toBe(false);
  client.send(textFrame("still", true));
  await connection.bytes.until(textFrame("still", true));
  await client.bytes.until("server_error");
  await closed;
  expect(await gateway.entry(0)).toMatchObject({ status: 101, code: "server_error" });
});
