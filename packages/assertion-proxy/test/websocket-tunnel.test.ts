import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, expect, onTestFinished, test } from "vitest";
import { connectRaw, sendRaw } from "./raw-client.js";
import { startRawUpstream } from "./raw-upstream.js";
import { startGateway } from "./start-gateway.js";
import { HANDSHAKE, openTunnel, SWITCH, textFrame } from "./websocket-bytes.js";

const WORDS = ["one", "two", "three"];

/** A close frame of a server with that status and reason. */
function goodbye(status: number, reason: string): string {
  const payload = String.fromCharCode(status >> 8, status & 0xff) + reason;
  return String.fromCharCode(0x88, payload.length) + payload;
}

describe("an open WebSocket", () => {
  test("carries bytes both ways as they come, and changes none", async () => {
    const { client, connection, gateway } = await openTunnel();
    for (const word of WORDS) {
      client.send(textFrame(word, true));
      await connection.bytes.until(textFrame(word, true));
      connection.socket.write(textFrame(word), "latin1");
      await client.bytes.until(textFrame(word));
    }
    expect(gateway.audit).toHaveLength(0);
    client.socket.end();
    await connection.bytes.closed;
    await client.bytes.closed;
    expect(await gateway.entry(0)).toEqual({
      time: "2026-03-23T12:00:00.000Z",
      request_id: expect.stringMatching(/^[\da-f-]{36}$/),
      address: "127.0.0.1",
      method: "GET",
      path: "/v1",
      status: 101,
      upstream_status: 101,
      ms: 0,
      bytes_in: WORDS.map((word) => textFrame(word, true)).join("").length,
      bytes_out: WORDS.map((word) => textFrame(word)).join("").length,
      agent_runtime_id: "agent_1",
      task_id: "task_1",
      user_id: "user-1",
      account_id: "acct-1",
    });
  });

  test("loses nothing that either side said before the other was heard", async () => {
    const upstream = await startRawUpstream(`${SWITCH}${textFrame("early answer")}`);
    const gateway = await startGateway({ upstream: upstream.url });
    const client = await connectRaw(gateway.url);
    client.send(gateway.request("GET", "/v1", HANDSHAKE) + textFrame("with the head", true));
    client.send(textFrame("behind it", true));
    const { bytes } = await upstream.connection(0);
    const seen = await bytes.until(textFrame("behind it", true));
    expect(seen.split("\r\n\r\n")[1]).toBe(
      textFrame("with the head", true) + textFrame("behind it", true),
    );
    await client.bytes.until(textFrame("early answer"));
  });

  test("holds back what a client says before it was answered, and loses none of it", async () => {
    const upstream = await startRawUpstream("");
    const gateway = await startGateway({ upstream: upstream.url });
    const client = await connectRaw(gateway.url);
    const early = Buffer.alloc(32 * 1024 * 1024, "e");
    client.send(gateway.request("GET", "/v1", HANDSHAKE));
    client.socket.write(early);
    const { bytes, socket } = await upstream.connection(0);
    expect(await bytes.until("\r\n\r\n")).toMatch(/\r\n\r\n$/);
    // The proxy serves many other requests first, so it has read all that it reads of this client before the answer.
    for (let count = 0; count < 100; count += 1) {
      await sendRaw(gateway.url, "GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    }
    expect(client.socket.writableLength).toBeGreaterThan(0);
    socket.write(SWITCH);
    const head = bytes.text.length;
    while (bytes.text.length < head + early.length) await once(socket, "data");
    expect(bytes.text.slice(head)).toBe(early.toString("latin1"));
  });

  test("goes on the other way after one side has said all", async () => {
    const { client, connection, gateway } = await openTunnel();
    const ended = once(connection.socket, "end");
    client.socket.end();
    // The upstream's own side stays open: it answers after the end of what it reads.
    connection.socket.allowHalfOpen = true;
    await ended;
    connection.socket.write(textFrame("last words"), "latin1");
    await client.bytes.until(textFrame("last words"));
    connection.socket.end();
    await client.bytes.closed;
    expect(await gateway.entry(0)).not.toHaveProperty("code");
  });

  test("goes on towards the upstream after that has said all", async () => {
    const { client, connection, gateway } = await openTunnel();
    client.socket.allowHalfOpen = true;
    connection.socket.end();
    await once(client.socket, "end");
    client.send("last words");
    await connection.bytes.until("last words");
    client.socket.end();
    await connection.bytes.closed;
    expect(await gateway.entry(0)).not.toHaveProperty("code");
  });

  test("is broken off at the upstream when the client breaks it off", async () => {
    const { client, connection, gateway } = await openTunnel();
    client.socket.resetAndDestroy();
    await connection.bytes.closed;
    expect(await gateway.entry(0)).toMatchObject({ status: 101, code: "cancelled" });
  });

  test("ended as it should though a side resets its connection, once both have said goodbye", async () => {
    const { client, connection, gateway } = await openTunnel();
    const masked = "\u0088\u0082\0\0\0\0\u0003\u00e8";
    client.send(masked);
    await connection.bytes.until(masked);
    connection.socket.write(goodbye(1000, ""), "latin1");
    await client.bytes.until(goodbye(1000, ""));
    client.socket.resetAndDestroy();
    await connection.bytes.closed;
    expect(await gateway.entry(0)).not.toHaveProperty("code");
  });

  test("is broken off at the client when the upstream breaks it off", async () => {
    const { client, connection, gateway } = await openTunnel();
    connection.socket.resetAndDestroy();
    await client.bytes.closed;
    expect(await gateway.entry(0)).toMatchObject({ status: 101, code: "bad_response" });
  });

  test("is ended when nothing moves for the time of its own limit, and not sooner", async () => {
    const { client, gateway } = await openTunnel({
      gateway: { limits: { idleMs: 1, responseMs: 60_000, tunnelIdleMs: 40 } },
    });
    await client.bytes.until(goodbye(1001, "timeout"));
    await client.bytes.closed;
    expect(await gateway.entry(0)).toMatchObject({ status: 101, code: "timeout" });
  });

  test("never comes back into the pool of connections (G-G8)", async () => {
    const { upstream, gateway, client, connection } = await openTunnel();
    client.socket.end();
    await connection.bytes.closed;
    const next = await connectRaw(gateway.url);
    next.send(gateway.request("GET", "/2"));
    const { bytes } = await upstream.connection(1);
    expect(await bytes.until("\r\n\r\n")).toMatch(/^GET \/2 /);
    expect(connection.bytes.text).not.toContain("/2");
  });

  test("counts as a request in work", async () => {
    const { gateway, client, connection } = await openTunnel({
      gateway: { limits: { maxRequests: 1 } },
    });
    const handshake = gateway.request("GET", "/2", HANDSHAKE);
    expect(await sendRaw(gateway.url, handshake)).toMatchObject({ status: 503 });
    client.socket.end();
    await connection.bytes.closed;
    await gateway.entry(1);
    const next = await connectRaw(gateway.url);
    next.send(handshake);
    expect(await next.bytes.until("\r\n\r\n")).toMatch(/^HTTP\/1\.1 101 /);
  });
});

describe("a WebSocket whose task is revoked", () => {
  const revoked = { gateway: { recheckMs: 10 } };

  test("is closed on both sides with a close frame that says why (G-R6)", async () => {
    const { client, connection, gateway } = await openTunnel(revoked);
    connection.socket.write(textFrame("whole"), "latin1");
    await client.bytes.until(textFrame("whole"));
    gateway.task.state = "revoked";
    const text = await client.bytes.until(goodbye(1008, "task_revoked"));
    expect(text.endsWith(textFrame("whole") + goodbye(1008, "task_revoked"))).toBe(true);
    await client.bytes.closed;
    await connection.bytes.closed;
    // Masked, as whatever goes to a server.
    const last = Buffer.from(connection.bytes.text.split("\r\n\r\n")[1] ?? "", "latin1");
    expect([...last.subarray(0, 2)]).toEqual([0x88, 0x80 | 14]);
    const unmasked = last.subarray(6).map((byte, index) => byte ^ (last[2 + (index % 4)] ?? 0));
    expect(Buffer.from(unmasked).toString("latin1")).toBe("\u0003\u00f0task_revoked");
    expect(await gateway.entry(0)).toMatchObject({ status: 101, code: "task_revoked" });
  });

  test.each([
    ["in the middle of a payload", "\u0081\u0005hal"],
    ["in the middle of a frame's head", "\u0081"],
    ["after a frame that cannot be", `\u0082\u007f${"\u00ff".repeat(8)}`],
  ])("is broken off %s, since a close frame would be read as part of it", async (_, bytes) => {
    const { client, connection, gateway } = await openTunnel(revoked);
    connection.socket.write(bytes, "latin1");
    await client.bytes.until(bytes);
    gateway.task.state = "revoked";
    await client.bytes.closed;
    await connection.bytes.closed;
    expect(client.bytes.text.endsWith(bytes)).toBe(true);
    expect(await gateway.entry(0)).toMatchObject({ status: 101, code: "task_revoked" });
  });

  test("gets no second close frame", async () => {
    const { client, connection, gateway } = await openTunnel(revoked);
    connection.socket.write(goodbye(1000, "bye"), "latin1");
    await client.bytes.until(goodbye(1000, "bye"));
    gateway.task.state = "revoked";
    await client.bytes.closed;
    expect(client.bytes.text.endsWith(goodbye(1000, "bye"))).toBe(true);
  });

  test("is gone though neither side closes its connection", async () => {
    const { client, connection, gateway } = await openTunnel(revoked);
    client.socket.allowHalfOpen = true;
    connection.socket.allowHalfOpen = true;
    gateway.task.state = "revoked";
    expect(await gateway.entry(0)).toMatchObject({ status: 101, code: "task_revoked" });
  });
});

describe("close", () => {
  test("leaves an open WebSocket until the drain is over, then says goodbye", async () => {
    const { client, connection, gateway } = await openTunnel();
    const closed = gateway.gateway.close({ drainMs: 200 });
    client.send(textFrame("still open", true));
    await connection.bytes.until(textFrame("still open", true));
    await client.bytes.until(goodbye(1001, "server_error"));
    await closed;
    await client.bytes.closed;
    expect(await gateway.entry(0)).toMatchObject({ status: 101, code: "server_error" });
  });

  test("ends at once when the last WebSocket ends", async () => {
    const { client, connection, gateway } = await openTunnel();
    const closed = gateway.gateway.close({ drainMs: 2_000_000_000 });
    client.socket.end();
    await connection.bytes.closed;
    await closed;
  });

  test("refuses a WebSocket that comes after it", async () => {
    const gateway = await startGateway({ upstream: "http://127.0.0.1:1" });
    const client = await connectRaw(gateway.url);
    client.send(gateway.request("GET", "/v1", HANDSHAKE));
    await gateway.gateway.close();
    await client.bytes.closed;
    expect(client.bytes.text).toMatch(/^HTTP\/1\.1 50[23] /);
  });
});

describe("on a server of one's own", () => {
  async function ownServer(withUpgrade: boolean) {
    const upstream = await startRawUpstream(SWITCH);
    const gateway = await startGateway({ upstream: upstream.url });
    const server = createServer(gateway.gateway.handler);
    if (withUpgrade) server.on("upgrade", gateway.gateway.upgradeHandler);
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    onTestFinished(() => {
      server.closeAllConnections();
      server.close();
    });
    const client = await connectRaw(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    client.send(gateway.request("GET", "/v1", HANDSHAKE));
    return client.bytes.until("\r\n\r\n");
  }

  test("the upgrade handler opens WebSockets", async () => {
    expect(await ownServer(true)).toMatch(/^HTTP\/1\.1 101 /);
  });

  test("the handler alone refuses them", async () => {
    expect(await ownServer(false)).toMatch(/^HTTP\/1\.1 400 /);
  });
});
