import { once } from "node:events";
import { expect, test } from "vitest";
import { connectRaw, sendRaw } from "./raw-client.js";
import { startRawUpstream } from "./raw-upstream.js";
import { NOW, startGateway } from "./start-gateway.js";

// Each request has an upstream connection of its own.
const OK = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\nok";

/** A gateway with places for one request, whose clock may be broken. */
async function startWithClock() {
  let isBroken = false;
  const upstream = await startRawUpstream("");
  const gateway = await startGateway({
    upstream: upstream.url,
    limits: { maxRequests: 1 },
    now: () => {
      if (isBroken) throw new Error("the clock stands still");
      return NOW;
    },
  });
  const client = await connectRaw(gateway.url);
  client.send(gateway.request("GET", "/v1"));
  const { socket } = await upstream.connection(0);
  const warned = once(process, "warning");
  isBroken = true;
  return {
    client,
    gateway,
    socket,
    /** Waits for the warning of the end; the clock goes on after it. */
    async ended(): Promise<void> {
      expect(String(await warned)).toContain("the clock stands still");
      isBroken = false;
    },
    /** Sends one more request, which needs the place. */
    async sendAnother(): Promise<unknown> {
      const sent = sendRaw(gateway.url, gateway.request("GET", "/v1"));
      (await upstream.connection(1)).socket.write(OK);
      return await sent;
    },
  };
}

test("a request whose end cannot be recorded gives its place back, and ends no other", async () => {
  const { client, ended, gateway, sendAnother, socket } = await startWithClock();
  socket.write(OK);
  await client.bytes.until("ok");
  await ended();
  expect(await sendAnother()).toMatchObject({ status: 200, body: "ok" });
  await gateway.gateway.close();
});

test("so does one whose client has gone", async () => {
  const { client, ended, gateway, sendAnother } = await startWithClock();
  client.socket.destroy();
  await ended();
  expect(await sendAnother()).toMatchObject({ status: 200, body: "ok" });
  await gateway.gateway.close();
});
