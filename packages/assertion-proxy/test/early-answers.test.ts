import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer as createHttpServer, type Server } from "node:http";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { setTimeout } from "node:timers/promises";
import { createServer as createTlsServer } from "node:tls";
import { byEffort } from "@countersign/testing/effort";
import { describe, expect, onTestFinished, test } from "vitest";
import { connectRaw, readAnswer } from "./raw-client.js";
import { hasCurl } from "./run-curl.js";
import { startGateway, type TestGatewayOptions } from "./start-gateway.js";
import { startSigningProxy } from "./start-signing-proxy.js";
import { UPLOADS } from "./upload.js";

if (!hasCurl) console.warn("skipped: tests with curl: it is not installed");

const CLIENTS = UPLOADS.filter(([name]) => hasCurl || name !== "curl");

const SIZES: readonly (readonly [string, number, number])[] = [
  ["200 kB", 200_000, byEffort(60, 6)],
  ["3 MB", 3_000_000, byEffort(60, 6)],
  ["30 MB", 30_000_000, byEffort(6, 2)],
];

const PROBLEM = '{"no":1}';

/** An upstream of Node's that refuses at once, reads nothing, and lets go. */
function refusing(status: number): Server {
  return createHttpServer((_, response) => {
    response.writeHead(status, { connection: "close", "content-length": PROBLEM.length });
    response.end(PROBLEM);
  });
}

/** An upstream that answers the first bytes, and resets the connection with all that it has not read. */
const resetting = (status: number) => (socket: Socket) => {
  socket.on("error", () => {});
  socket.once("data", () => {
    const head = `HTTP/1.1 ${status} No\r\ncontent-length: ${PROBLEM.length}\r\n\r\n`;
    socket.write(head + PROBLEM, () => socket.destroy());
  });
};

const read = (name: string) => readFileSync(new URL(`fixtures/${name}`, import.meta.url));

async function listening(server: Server | ReturnType<typeof createServer>): Promise<string> {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
    if ("closeAllConnections" in server) server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** A proxy, what its client sends with every request, and the status that it answers. */
interface Scene {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly status: number;
}

async function throughGateway(
  upstream: string,
  status: number,
  options: Partial<TestGatewayOptions> = {},
): Promise<Scene> {
  const { url, authorization } = await startGateway({ upstream, ...options });
  return { url, headers: { authorization: authorization.replace(/^.*?: /, "") }, status };
}

async function throughSigningProxy(upstream: string, status: number): Promise<Scene> {
  const { url } = await startSigningProxy({ upstream, clientToken: "open" });
  return { url, headers: {}, status };
}

const SCENES: readonly (readonly [string, () => Promise<Scene>])[] = [
  [
    "the gateway's own refusal",
    async () => ({ ...(await throughGateway("http://127.0.0.1:1", 401)), headers: {} }),
  ],
  [
    "the signing proxy's own refusal",
    async () => ({
      ...(await throughSigningProxy("http://127.0.0.1:1", 403)),
      headers: { origin: "https://page.example" },
    }),
  ],
  [
    "an upstream's 413 through the gateway",
    async () => throughGateway(await listening(refusing(413)), 413),
  ],
  [
    "an upstream's 403 through the signing proxy",
    async () => throughSigningProxy(await listening(refusing(403)), 403),
  ],
  [
    "an upstream's 413 with a reset through the gateway",
    async () => throughGateway(await listening(createServer(resetting(413))), 413),
  ],
  [
    "a TLS upstream's 403 with a reset through the gateway",
    async () => {
      const [cert, key] = [read("cert.pem"), read("key.pem")];
      const url = await listening(createTlsServer({ cert, key }, resetting(403)));
      const upstreamTls = { ca: cert, servername: "upstream.example" };
      return throughGateway(url.replace("http:", "https:"), 403, { upstreamTls });
    },
  ],
];

describe.each(SCENES)("%s reaches", (_, scene) => {
  describe.each(CLIENTS)("%s", (__, upload) => {
    test.each(SIZES)("that sends %s", async (___, bytes, rounds) => {
      const { url, headers, status } = await scene();
      const body = Buffer.alloc(bytes, "x");
      const seen: (number | string)[] = [];
      for (let round = 0; round < rounds; round += 1) {
        seen.push(await upload({ url: `${url}/v1`, headers, body }));
      }
      expect(seen).toEqual(Array.from({ length: rounds }, () => status));
    });
  });
});

test("the answer of an upstream that took little of a body, and was waited for, reaches a client that is still sending", async () => {
  const sockets: Socket[] = [];
  const upstream = createServer({ pauseOnConnect: true }, (socket) => void sockets.push(socket));
  const { url, headers } = await throughGateway(await listening(upstream), 413);
  const client = await connectRaw(url);
  const lines = `Host: x\r\nAuthorization: ${headers.authorization}\r\nContent-Length: 30000000\r\n`;
  const sent = new Promise((resolve) => {
    client.socket.write(`POST /v1 HTTP/1.1\r\n${lines}\r\n`);
    client.socket.write(Buffer.alloc(30_000_000), resolve);
  });
  // Until nothing moves: every buffer on the way is full.
  for (let moved = -1; moved !== client.socket.bytesWritten - client.socket.writableLength; ) {
    moved = client.socket.bytesWritten - client.socket.writableLength;
    await setTimeout(100);
  }
  const [socket] = sockets;
  socket?.end(`HTTP/1.1 413 No\r\ncontent-length: ${PROBLEM.length}\r\n\r\n${PROBLEM}`);
  expect(await readAnswer(client)).toMatchObject({ status: 413, body: PROBLEM });
  expect(await sent).toBeFalsy();
  socket?.destroy();
});

describe("a client that reads after it has written learns that", () => {
  const readsLate = UPLOADS.find(([name]) => name.startsWith("a client that reads"))?.[1];

  test.each<[string, Record<string, string>, number]>([
    ["its head is too large", { "X-Filler": "x".repeat(3_000_000) }, 431],
    ["its chunks are malformed", { "Transfer-Encoding": "chunked" }, 400],
    ["its upgrade is refused", { Connection: "Upgrade", Upgrade: "websocket" }, 400],
  ])("%s", async (_, lines, status) => {
    const { url, headers } = await throughSigningProxy("http://127.0.0.1:1", status);
    const body = Buffer.alloc(3_000_000, "x");
    const seen = await readsLate?.({ url: `${url}/v1`, headers: { ...headers, ...lines }, body });
    expect(seen).toBe(status);
  });
});
