import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { gzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { connectRaw, readAnswer } from "./raw-client.js";
import { OK, startRawUpstream } from "./raw-upstream.js";
import { startGateway } from "./start-gateway.js";

const LENGTH_11 = "Content-Length: 11\r\n";
const CHUNKED = "Transfer-Encoding: chunked\r\n";

async function begin(lines: string, options = {}, method = "POST") {
  const upstream = await startRawUpstream("");
  const gateway = await startGateway({ upstream: upstream.url, ...options });
  const client = await connectRaw(gateway.url);
  client.send(gateway.request(method, "/v1", lines));
  return { upstream, gateway, client };
}

describe("a request body", () => {
  test("of a length goes on as it comes, before it is whole", async () => {
    const { upstream, client } = await begin(LENGTH_11);
    const { bytes, socket } = await upstream.connection(0);
    expect(await bytes.until("\r\n\r\n")).toContain("content-length: 11\r\n");
    client.send("hello ");
    await bytes.until("\r\n\r\nhello ");
    client.send("world");
    await bytes.until("\r\n\r\nhello world");
    socket.write(OK);
    expect(await readAnswer(client)).toMatchObject({ status: 200 });
  });

  test("in chunks goes on in chunks, its head before its first byte", async () => {
    const { upstream, client } = await begin(CHUNKED);
    const { bytes, socket } = await upstream.connection(0);
    const head = await bytes.until("\r\n\r\n");
    expect(head).toContain("transfer-encoding: chunked\r\n");
    expect(head).not.toMatch(/content-length/i);
    client.send("5;ext=1\r\nhello\r\n");
    await bytes.until("\r\n\r\n5\r\nhello\r\n");
    client.send("0\r\n\r\n");
    await bytes.until("hello\r\n0\r\n\r\n");
    socket.write(OK);
    expect(await readAnswer(client)).toMatchObject({ status: 200 });
  });

  test.each(["GET", "DELETE", "QUERY"])("of a %s request goes on too", async (method) => {
    const { upstream } = await begin(`${CHUNKED}\r\n3\r\nabc\r\n0\r\n`, {}, method);
    const { bytes } = await upstream.connection(0);
    expect(await bytes.until("\r\n0\r\n\r\n")).toContain("\r\n\r\n3\r\nabc\r\n0\r\n\r\n");
  });

  test("keeps every byte, whatever its encoding", async () => {
    const { upstream, client } = await begin("");
    client.socket.destroy();
    const body = gzipSync(randomBytes(300_000));
    const gateway = await startGateway({ upstream: upstream.url });
    const sender = await connectRaw(gateway.url);
    const lines = `Content-Encoding: gzip\r\nContent-Length: ${body.length}\r\n`;
    sender.send(gateway.request("POST", "/v1", lines));
    sender.socket.write(body);
    const { bytes, socket } = await upstream.connection(1);
    const head = await bytes.until("\r\n\r\n");
    expect(head).toContain("Content-Encoding: gzip\r\n");
    const received = (): string => bytes.text.slice(bytes.text.indexOf("\r\n\r\n") + 4);
    while (received().length < body.length) await once(socket, "data");
    expect(Buffer.from(received(), "latin1").equals(body)).toBe(true);
  });

  test("takes its trailers along, but none that the client may not set (G-G3)", async () => {
    const { upstream, client } = await begin(`${CHUNKED}Trailer: X-Sum, X-Agent-Task-Id\r\n`, {
      upstreamHeaders: { "X-Api-Key": "gateway-key" },
    });
    client.send(
      "3\r\nabc\r\n0\r\nX-Sum: 9\r\nX-Agent-Task-Id: evil\r\nx_agent_account_id: evil\r\nAuthorization: evil\r\nCookie: evil\r\nX-Forwarded-For: evil\r\nX-Api-Key: evil\r\nChatGPT-Account-ID: evil\r\nHost: evil\r\n\r\n",
    );
    const { bytes } = await upstream.connection(0);
    const seen = await bytes.until("X-Sum: 9\r\n\r\n");
    expect(seen).toContain("\r\ntrailer: x-sum\r\n");
    expect(seen).toMatch(/\r\n\r\n3\r\nabc\r\n0\r\nX-Sum: 9\r\n\r\n$/);
    expect(seen).not.toContain("evil");
  });

  test("takes no trailer along that Connection names (G-G3)", async () => {
    const { upstream, client } = await begin(
      `${CHUNKED}Connection: X-Named\r\nTrailer: X-Named\r\n`,
    );
    client.send("3\r\nabc\r\n0\r\nX-Named: evil\r\nx_named: evil\r\nX-Sum: 9\r\n\r\n");
    const { bytes } = await upstream.connection(0);
    const seen = await bytes.until("X-Sum: 9\r\n\r\n");
    expect(seen).not.toMatch(/evil|trailer/i);
  });

  test("that is no chunk ends in 400, and the upstream's request never looks whole (G-G5)", async () => {
    const { upstream, gateway, client } = await begin(CHUNKED);
    const { bytes } = await upstream.connection(0);
    client.send("3\r\nabc\r\n");
    await bytes.until("abc");
    client.send("nonsense\r\n");
    expect(await readAnswer(client)).toMatchObject({ status: 400 });
    await bytes.closed;
    expect(bytes.text).not.toContain("\r\n0\r\n\r\n");
    await client.bytes.closed;
    expect(await gateway.entry(0)).toMatchObject({ status: 400, code: "invalid_request" });
  });

  test("that breaks off breaks off at the upstream", async () => {
    const { upstream, gateway, client } = await begin(LENGTH_11);
    const { bytes } = await upstream.connection(0);
    client.send("hello");
    await bytes.until("hello");
    client.socket.destroy();
    await bytes.closed;
    expect(await gateway.entry(0)).toMatchObject({ status: 499, code: "cancelled" });
  });

  test("announced larger than the limit is refused before anything is dialled", async () => {
    const { upstream, client } = await begin(LENGTH_11, { limits: { maxBodyBytes: 10 } });
    expect(await readAnswer(client)).toMatchObject({ status: 413 });
    expect(upstream.connections).toHaveLength(0);
  });

  test("that grows larger than the limit is broken off", async () => {
    const { upstream, client } = await begin(CHUNKED, { limits: { maxBodyBytes: 10 } });
    client.send("b\r\nhello world\r\n");
    expect(await readAnswer(client)).toMatchObject({ status: 413 });
    await (await upstream.connection(0)).bytes.closed;
  });

  test("that was refused unread leaves the connection usable", async () => {
    const upstream = await startRawUpstream();
    const gateway = await startGateway({ upstream: upstream.url });
    const client = await connectRaw(gateway.url);
    client.send(`POST /1 HTTP/1.1\r\nHost: x\r\nContent-Length: 11\r\n\r\n`);
    await client.bytes.until('"code":"missing"');
    client.send(`hello world${gateway.request("GET", "/2")}`);
    await client.bytes.until("\r\n\r\nok");
    const { bytes } = await upstream.connection(0);
    expect(bytes.text).toMatch(/^GET \/2 /);
  });

  test("that was refused is not read for ever", async () => {
    const gateway = await startGateway({ upstream: "http://127.0.0.1:1" });
    const client = await connectRaw(gateway.url);
    client.send(`POST /1 HTTP/1.1\r\nHost: x\r\nContent-Length: 9999999\r\n\r\n`);
    await client.bytes.until('"code":"missing"');
    client.socket.write(Buffer.alloc(3_000_000));
    await client.bytes.closed;
  });
});

describe("Expect: 100-continue", () => {
  const EXPECT = `${LENGTH_11}Expect: 100-continue\r\n`;

  test("is answered only once the upstream wants the body", async () => {
    const { upstream, client } = await begin(EXPECT);
    const { bytes, socket } = await upstream.connection(0);
    expect(await bytes.until("\r\n\r\n")).toContain("expect: 100-continue\r\n");
    expect(client.bytes.text).toBe("");
    socket.write("HTTP/1.1 100 Continue\r\n\r\n");
    expect(await client.bytes.until("\r\n\r\n")).toBe("HTTP/1.1 100 Continue\r\n\r\n");
    client.send("hello world");
    await bytes.until("\r\n\r\nhello world");
    socket.write(OK);
    expect(await client.bytes.until("\r\n\r\nok")).toMatch(
      /^HTTP\/1.1 100 .*\r\n\r\nHTTP\/1.1 200 /,
    );
  });

  test("is answered with the upstream's refusal, and the body never asked for", async () => {
    const { upstream, client } = await begin(EXPECT);
    const { bytes, socket } = await upstream.connection(0);
    await bytes.until("\r\n\r\n");
    socket.write("HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n");
    const { status, head } = await readAnswer(client);
    expect(status).toBe(413);
    expect(head).toMatch(/^connection: close\r$/im);
    await client.bytes.closed;
    await bytes.closed;
    expect(client.bytes.text).not.toContain("100 Continue");
  });

  test("is answered by the gateway where the upstream says nothing", async () => {
    const { upstream, client } = await begin(EXPECT, { limits: { continueMs: 10 } });
    await client.bytes.until("100 Continue\r\n\r\n");
    client.send("hello world");
    await (await upstream.connection(0)).bytes.until("hello world");
  });

  test("is never answered with 100 before the assertion was verified (G-G1)", async () => {
    const { upstream, gateway, client } = await begin(EXPECT, { accounts: ["acct-2"] });
    const { status, head } = await readAnswer(client);
    expect(status).toBe(403);
    expect(head).toMatch(/^connection: close\r$/im);
    await client.bytes.closed;
    expect(client.bytes.text).not.toContain("100 Continue");
    expect(await gateway.entry(0)).toMatchObject({ code: "forbidden" });
    expect(upstream.connections).toHaveLength(0);
  });
});
