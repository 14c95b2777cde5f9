import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { Duplex } from "node:stream";
import { createServer as createTlsServer } from "node:tls";
import { describe, expect, onTestFinished, test } from "vitest";
import { createVerifyingGateway, type VerifyingGateway } from "../src/gateway/verifying-gateway.js";
import { AssertionProxyError } from "../src/refusal/assertion-proxy-error.js";
import { connectRaw, readAnswer, sendRaw } from "./raw-client.js";
import { OK, startRawUpstream } from "./raw-upstream.js";
import { startGateway } from "./start-gateway.js";

async function rejection(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => undefined,
    (error: unknown) => error,
  );
}

describe("listen", () => {
  test("says that an address is taken", async () => {
    const first = await startGateway({ upstream: "https://api.example" });
    const { port } = new URL(first.url);
    const gateway = createVerifyingGateway({
      verifier: {
        authority: "https://authority.example",
        binding: undefined,
        verify: () => Promise.reject(new Error("unused")),
        recheck: () => Promise.resolve(),
      },
      upstream: "https://api.example",
      accounts: "any",
    });
    const taken = await rejection(gateway.listen({ host: "127.0.0.1", port: Number(port) }));
    expect(AssertionProxyError.is(taken) && taken.code).toBe("address_in_use");
    const foreign = await rejection(gateway.listen({ host: "192.0.2.1", port: 0 }));
    expect(AssertionProxyError.is(foreign) && foreign.code).toBe("config_invalid");
    await gateway.close();
  });
});

/** Sends an unsigned request on a connection of which nothing is ever read; settles when that is closed. */
async function sendUnread({ handler }: VerifyingGateway): Promise<void> {
  const unread = new Duplex({ read: () => {}, write: () => {} });
  const closed = once(unread, "close");
  createServer(handler).emit("connection", unread);
  unread.push("GET /v1 HTTP/1.1\r\nHost: x\r\n\r\n");
  await closed;
}

describe("a gateway under load", () => {
  test("sheds what is beyond its limit with 503", async () => {
    const upstream = await startRawUpstream("");
    const gateway = await startGateway({ upstream: upstream.url, limits: { maxRequests: 1 } });
    const first = await connectRaw(gateway.url);
    first.send(gateway.request("GET", "/1"));
    const { socket } = await upstream.connection(0);
    const second = await sendRaw(gateway.url, gateway.request("GET", "/2"));
    expect(second.status).toBe(503);
    expect(JSON.parse(second.body)).toMatchObject({ code: "server_error" });
    socket.write(OK);
    expect(await readAnswer(first)).toMatchObject({ status: 200 });
    expect(upstream.connections).toHaveLength(1);
  });

  test("keeps no room for refusals that a client does not read (G-G12)", async () => {
    const upstream = await startRawUpstream("");
    const gateway = await startGateway({ upstream: upstream.url, limits: { maxRequests: 2 } });
    const first = await connectRaw(gateway.url);
    // Nothing behind the first can be answered before it is.
    first.send(gateway.request("GET", "/1") + "GET /x HTTP/1.1\r\nHost: x\r\n\r\n".repeat(3));
    const { socket } = await upstream.connection(0);
    const second = await connectRaw(gateway.url);
    second.send(gateway.request("GET", "/2"));
    (await upstream.connection(1)).socket.write(OK);
    expect(await readAnswer(second)).toMatchObject({ status: 200 });
    socket.write(OK);
    await first.bytes.until('"code":', 3);
  });

  test("ends the connection of a client that does not read its refusal (G-G12)", async () => {
    const { gateway, entry } = await startGateway({
      upstream: "https://api.example",
      limits: { idleMs: 20 },
    });
    await sendUnread(gateway);
    expect(await entry(0)).toMatchObject({ path: "/v1", status: 401, code: "missing" });
  });

  test("lets a refusal wait for the answers before it, however long those take", async () => {
    const upstream = await startRawUpstream("");
    const gateway = await startGateway({ upstream: upstream.url, limits: { idleMs: 20 } });
    const client = await connectRaw(gateway.url);
    client.send(`${gateway.request("GET", "/1")}GET /2 HTTP/1.1\r\nHost: x\r\n\r\n`);
    const { socket } = await upstream.connection(0);
    // Lasts longer than `idleMs`: until a refusal that is not read, on another connection, was given up.
    await sendUnread(gateway.gateway);
    socket.write(OK);
    const text = await client.bytes.until('"code":"missing"');
    expect(text).toMatch(/^HTTP\/1.1 200 [\s\S]*\r\n\r\nokHTTP\/1.1 401 /);
  });

  test("waits for a head no longer than its limit", async () => {
    const gateway = await startGateway({
      upstream: "https://api.example",
      limits: { requestHeadMs: 40 },
    });
    const { status } = await sendRaw(gateway.url, "GET /v1 HTTP/1.1\r\nHost: x\r\nX-Slow");
    expect(status).toBe(408);
    expect(await gateway.entry(0)).toMatchObject({ status: 408, code: "timeout", path: "" });
  });

  test("serves requests that come without waiting for answers, in their order", async () => {
    const upstream = await startRawUpstream();
    const gateway = await startGateway({ upstream: upstream.url });
    const client = await connectRaw(gateway.url);
    client.send(`${gateway.request("GET", "/1")}GET /2 HTTP/1.1\r\nHost: x\r\n\r\n`);
    const text = await client.bytes.until('"code":"missing"');
    expect(text).toMatch(/^HTTP\/1.1 200 [\s\S]*\r\n\r\nokHTTP\/1.1 401 /);
  });

  test("is not stopped by an audit that throws", async () => {
    const upstream = await startRawUpstream();
    const warned = once(process, "warning");
    const gateway = await startGateway({
      upstream: upstream.url,
      audit: () => {
        throw new Error("disk full");
      },
    });
    expect(await sendRaw(gateway.url, gateway.request("GET", "/1"))).toMatchObject({ status: 200 });
    expect(String(await warned)).toContain("disk full");
  });
});

test("the handler serves on a server of one's own, until it is closed", async () => {
  const upstream = await startRawUpstream();
  const gateway = await startGateway({ upstream: upstream.url });
  const server = createServer(gateway.gateway.handler);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  expect(await sendRaw(url, gateway.request("GET", "/v1"))).toMatchObject({ status: 200 });
  expect(await sendRaw(url, gateway.request("GET", "/v1/../x"))).toMatchObject({ status: 400 });
  await gateway.gateway.close();
  expect(await sendRaw(url, gateway.request("GET", "/v1"))).toMatchObject({ status: 503 });
  expect(upstream.connections).toHaveLength(1);
});

describe("an https upstream", () => {
  async function startTls() {
    const read = (name: string) => readFile(new URL(`./fixtures/${name}`, import.meta.url));
    const [cert, key] = await Promise.all([read("cert.pem"), read("key.pem")]);
    const seen: string[] = [];
    const server = createTlsServer({ cert, key }, (socket) => {
      socket.on("error", () => {});
      socket.on("data", (data) => {
        seen.push(data.toString("latin1"));
        socket.write(OK);
      });
    });
    server.on("tlsClientError", () => {});
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    onTestFinished(() => void server.close());
    return { cert, seen, url: `https://127.0.0.1:${(server.address() as AddressInfo).port}` };
  }

  test("is believed by the certificate authority and the name that the operator gave", async () => {
    const { cert, seen, url } = await startTls();
    const upstreamTls = { ca: cert, servername: "upstream.example" };
    const gateway = await startGateway({ upstream: url, upstreamTls });
    for (const path of ["/1", "/2"]) {
      const answer = await sendRaw(gateway.url, gateway.request("GET", path));
      expect(answer).toMatchObject({ status: 200, body: "ok" });
    }
    expect(seen.map((text) => text.slice(0, 6))).toEqual(["GET /1", "GET /2"]);
  });

  test.each([
    ["an unknown certificate authority", false, "upstream.example"],
    ["another name", true, "other.example"],
  ])("receives nothing under %s", async (_, trusted, servername) => {
    const { cert, seen, url } = await startTls();
    const upstreamTls = { servername, ...(trusted ? { ca: cert } : {}) };
    const gateway = await startGateway({ upstream: url, upstreamTls });
    const { status, body } = await sendRaw(
      gateway.url,
      gateway.request("POST", "/1", "Content-Length: 2\r\n").concat("hi"),
    );
    expect(status).toBe(502);
    expect(JSON.parse(body)).toMatchObject({ code: "unreachable" });
    expect(seen).toEqual([]);
  });
});
