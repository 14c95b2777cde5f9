import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, expect, onTestFinished, test } from "vitest";
import { connectRaw, readAnswer } from "./raw-client.js";
import { OK, startRawUpstream } from "./raw-upstream.js";
import { runCurl } from "./run-curl.js";
import { startGateway } from "./start-gateway.js";
import { startSigningProxy } from "./start-signing-proxy.js";
import { HANDSHAKE, openTunnel, textFrame } from "./websocket-bytes.js";

// As Java's HttpClient and `curl --http2` send it with every request of a new connection.
const H2C =
  "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQCAAAAAAIAAAAA\r\n";

const OFFERS: readonly [string, string][] = [
  ["HTTP/2", H2C],
  ["TLS", "Upgrade: TLS/1.2\r\nConnection: Upgrade\r\n"],
  ["two protocols", "Upgrade: h2c, TLS/1.2\r\nConnection: Upgrade\r\n"],
  ["a version of WebSocket", "Upgrade: websocket/13\r\nConnection: Upgrade\r\n"],
  ["a protocol that Connection does not name", "Upgrade: h2c\r\n"],
  ["nothing, though Connection names it", "Connection: upgrade\r\n"],
  ["an empty list", "Upgrade:\r\nConnection: upgrade\r\n"],
];

type Start = (upstream: string) => Promise<{
  readonly url: string;
  request(method: string, target: string, lines?: string): string;
}>;
const PROXIES: readonly [string, Start][] = [
  ["gateway", (upstream) => startGateway({ upstream })],
  ["signing proxy", (upstream) => startSigningProxy({ upstream })],
];

describe.each(PROXIES)("the %s serves a request as HTTP/1.1 that offers", (_, start) => {
  test.each(OFFERS)("%s", async (__, lines) => {
    const upstream = await startRawUpstream("");
    const proxy = await start(upstream.url);
    const client = await connectRaw(proxy.url);
    client.send(
      `${proxy.request("POST", "/v1?q=1", `${lines}Content-Length: 6\r\nX-Own: 1\r\n`)}abc`,
    );
    const { bytes, socket } = await upstream.connection(0);
    const head = await bytes.until("abc");
    client.send("def");
    expect(await bytes.until("abcdef")).toMatch(/^POST \/v1\?q=1 HTTP\/1\.1\r\n/);
    expect(head).toContain("X-Own: 1\r\n");
    expect(head).toContain("content-length: 6\r\n");
    expect(head).not.toMatch(/upgrade|http2-settings|h2c/i);
    socket.write(OK);
    expect(await readAnswer(client)).toMatchObject({ status: 200, body: "ok" });
  });
});

describe("an offer of HTTP/2 is ignored", () => {
  test("for every request of a connection, each with its own body", async () => {
    const server = createServer((request, response) => {
      let body = "";
      request.setEncoding("latin1").on("data", (text: string) => {
        body += text;
      });
      request.on("end", () => response.end(`${request.url} ${body}`));
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    onTestFinished(() => {
      server.closeAllConnections();
      server.close();
    });
    const warnings: string[] = [];
    const warn = (warning: Error): void => void warnings.push(warning.name);
    process.on("warning", warn);
    onTestFinished(() => void process.off("warning", warn));
    const { port } = server.address() as AddressInfo;
    // One place: the connection takes it once, however often it is handed back.
    const gateway = await startGateway({
      upstream: `http://127.0.0.1:${port}`,
      limits: { maxConnections: 1 },
    });
    const client = await connectRaw(gateway.url);
    for (let index = 0; index < 25; index += 1) {
      const chunked = `${H2C}Transfer-Encoding: chunked\r\n`;
      client.send(
        `${gateway.request("POST", `/${index}`, chunked)}3\r\na${10 + index}\r\n0\r\n\r\n`,
      );
      await client.bytes.until(`/${index} a${10 + index}`);
    }
    expect(client.bytes.text.match(/HTTP\/1\.1 200 OK\r\n/g)).toHaveLength(25);
    expect(warnings).toEqual([]);
  });

  test("where the body waits for 100 Continue", async () => {
    const upstream = await startRawUpstream(`HTTP/1.1 100 Continue\r\n\r\n${OK}`);
    const gateway = await startGateway({ upstream: upstream.url });
    const client = await connectRaw(gateway.url);
    client.send(
      gateway.request("PUT", "/v1", `${H2C}Expect: 100-continue\r\nContent-Length: 2\r\n`),
    );
    await client.bytes.until("HTTP/1.1 100 Continue\r\n\r\n");
    client.send("ab");
    await client.bytes.until("HTTP/1.1 200 OK\r\n");
  });

  test("where the head is as large as a head may be", async () => {
    const upstream = await startRawUpstream();
    const gateway = await startGateway({
      upstream: upstream.url,
      limits: { maxHeaderBytes: 4_096 },
    });
    // Node counts names and values.
    const lines = Array.from({ length: 100 }, (_, index) => `N${100 + index}:\r\n`).join("");
    const client = await connectRaw(gateway.url);
    client.send(gateway.request("GET", "/v1", `${H2C}${lines}X-Filler:${"x".repeat(2_900)}\r\n`));
    expect(await readAnswer(client)).toMatchObject({ status: 200 });
  });

  test("in HTTP/1.0, and one of a WebSocket too", async () => {
    const upstream = await startRawUpstream();
    const gateway = await startGateway({ upstream: upstream.url });
    const client = await connectRaw(gateway.url);
    client.send(gateway.request("GET", "/v1", HANDSHAKE).replace("HTTP/1.1", "HTTP/1.0"));
    expect(await readAnswer(client)).toMatchObject({ status: 200 });
    const { bytes } = await upstream.connection(0);
    expect(bytes.text).not.toMatch(/upgrade|websocket/i);
  });

  test("and the request is refused where it has no valid assertion", async () => {
    const upstream = await startRawUpstream();
    const gateway = await startGateway({ upstream: upstream.url });
    const client = await connectRaw(gateway.url);
    client.send(`GET /v1 HTTP/1.1\r\nHost: gateway.example\r\n${H2C}\r\n`);
    expect(await readAnswer(client)).toMatchObject({ status: 401 });
    expect(upstream.connections).toHaveLength(0);
  });
});

describe("on a server of one's own", () => {
  async function startOwnServer() {
    const upstream = await startRawUpstream();
    const gateway = await startGateway({ upstream: upstream.url });
    const own: (string | undefined)[] = [];
    const server = createServer({ maxHeaderSize: 65_536 }, (request, response) => {
      own.push(request.url);
      gateway.gateway.handler(request, response);
    });
    server.on("upgrade", gateway.gateway.upgradeHandler);
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    onTestFinished(() => {
      server.closeAllConnections();
      server.close();
    });
    const { port } = server.address() as AddressInfo;
    return { upstream, gateway, own, client: await connectRaw(`http://127.0.0.1:${port}`) };
  }

  // Node drops what comes behind 2,000 fields unless it is told otherwise; some versions refuse the head instead.
  test.each([0, 1_000, 2_100])(
    "such an offer is refused behind %i fields, and what follows is no request",
    async (count) => {
      const { upstream, gateway, own, client } = await startOwnServer();
      const next = gateway.request("GET", "/next");
      const lines = `${H2C}${"a:\r\n".repeat(count)}Content-Length: ${next.length}\r\n`;
      client.send(`${gateway.request("POST", "/v1", lines)}${next}`);
      const head = await client.bytes.until("\r\n\r\n");
      expect(head).toMatch(/^HTTP\/1\.1 (400|431) /);
      expect(head).toMatch(/^connection: close\r$/im);
      client.socket.end(gateway.request("GET", "/last"));
      await client.bytes.closed;
      expect(client.bytes.text.match(/HTTP\/1\.1/g)).toHaveLength(1);
      expect(own).toEqual([]);
      expect(upstream.connections).toHaveLength(0);
    },
  );

  test("the refusal says what to do, and is in the audit", async () => {
    const { gateway, client } = await startOwnServer();
    client.send(`${gateway.request("POST", "/v1", `${H2C}Content-Length: 3\r\n`)}abc`);
    const { status, body } = await readAnswer(client);
    expect([status, JSON.parse(body).code]).toEqual([400, "invalid_request"]);
    expect(body).toContain("send the request without Upgrade");
    expect(gateway.audit).toMatchObject([
      { method: "POST", path: "/v1", status: 400, code: "invalid_request" },
    ]);
  });
});

test.each(["h2c, websocket", "websocket, h2c", "WebSocket\r\nUpgrade: TLS/1.2"])(
  "opens the WebSocket of a list of offers: %j",
  async (list) => {
    const lines = HANDSHAKE.replace("Upgrade: websocket", `Upgrade: ${list}`);
    const { client, connection } = await openTunnel({ lines });
    expect(connection.bytes.text).toMatch(/^upgrade: websocket\r$/m);
    client.send(textFrame("hello", true));
    await connection.bytes.until("hello");
  },
);

const hasCurl = await runCurl(["--version"]).then(
  ({ body }) => /^Features:.* HTTP2\b/m.test(body),
  () => false,
);
if (!hasCurl) console.warn("skipped: tests with curl: it is not installed with HTTP/2");

test.skipIf(!hasCurl).each(PROXIES)(
  "curl --http2 sends its body through the %s",
  async (_, start) => {
    const upstream = await startRawUpstream("");
    const proxy = await start(upstream.url);
    const [authorization = ""] = /^Authorization: .*$/im.exec(proxy.request("GET", "/")) ?? [];
    const body = "x".repeat(100_000);
    const running = runCurl(
      ["--http2", "--verbose", "--header", authorization, "--data-binary", "@-", `${proxy.url}/v1`],
      Buffer.from(body),
    );
    const { bytes, socket } = await upstream.connection(0);
    await bytes.until(body);
    socket.write(OK);
    const got = await running;
    expect(got).toMatchObject({ exitCode: 0, status: 200, body: "ok" });
    expect(got.log).toMatch(/^> Upgrade: h2c\r?$/m);
    expect(bytes.text).not.toMatch(/upgrade|http2-settings|h2c/i);
  },
);
