import { once } from "node:events";
import { createServer } from "node:http";
import { type AddressInfo, Socket } from "node:net";
import { afterEach, describe, expect, onTestFinished, test, vi } from "vitest";
import { comparableName } from "../src/head/field-names.js";
import { connectRaw, type RawClient } from "./raw-client.js";
import { startGateway } from "./start-gateway.js";
import { startSigningProxy } from "./start-signing-proxy.js";

vi.mock(import("../src/head/field-names.js"), async (original) => {
  const names = await original();
  return { ...names, comparableName: vi.fn(names.comparableName) };
});

afterEach(() => void vi.restoreAllMocks());

const BODY = "Content-Length: 5\r\nX-Asked: 1\r\n";
const proxies = [
  ["gateway", startGateway],
  ["signing proxy", startSigningProxy],
] as const;

describe.each(proxies)("one forwarded request of a %s", (_, start) => {
  test("compares each name of both heads once", async () => {
    const { send } = await begin(start);
    vi.mocked(comparableName).mockClear();
    await send();
    const compared = vi.mocked(comparableName).mock.calls.map(([name]) => name);
    expect(compared.filter((name) => name === "X-Asked")).toHaveLength(1);
    expect(compared.filter((name) => name === "X-Answered")).toHaveLength(1);
  });

  test("aborts nothing", async () => {
    const abort = vi.spyOn(AbortController.prototype, "abort");
    const { send } = await begin(start);
    await send();
    expect(abort).not.toHaveBeenCalled();
  });

  test("starts a timer for its admission and one for its upstream", async () => {
    const { send } = await begin(start);
    const timers = vi.spyOn(globalThis, "setTimeout");
    await send();
    expect(timers).toHaveBeenCalledTimes(2);
  });

  test("is one write to each side, head and body together", async () => {
    const { send, ports } = await begin(start);
    const written = countWrites(ports);
    await send();
    expect(written).toEqual(["upstream", "client"]);
  });
});

/** Starts a proxy and makes its connections stand: the first request dials. */
async function begin(start: (typeof proxies)[number][1]) {
  const server = createServer((request, response) => {
    request.resume().on("end", () => {
      response.writeHead(200, { "Content-Length": 5, "X-Answered": "1" }).end("hello");
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => void server.close());
  const upstream = (server.address() as AddressInfo).port;
  const proxy = await start({ upstream: `http://127.0.0.1:${upstream}` });
  const client = await connectRaw(proxy.url);
  const send = (): Promise<void> => exchange(client, proxy.request("POST", "/v1", BODY));
  await send();
  return { send, ports: { upstream, client: Number(new URL(proxy.url).port) } };
}

async function exchange(client: RawClient, head: string): Promise<void> {
  const before = client.bytes.text.length;
  client.send(`${head}hello`);
  while (!client.bytes.text.slice(before).endsWith("hello")) await once(client.socket, "data");
  expect(client.bytes.text.slice(before)).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
}

/** Takes down each write of the proxy's sockets, by the side that it goes to. */
function countWrites({ upstream, client }: { upstream: number; client: number }): string[] {
  const written: string[] = [];
  for (const method of ["_write", "_writev"] as const) {
    const original = Socket.prototype[method] as (...parameters: unknown[]) => void;
    vi.spyOn(Socket.prototype, method).mockImplementation(function (
      this: Socket,
      ...parameters: unknown[]
    ) {
      if (this.remotePort === upstream) written.push("upstream");
      else if (this.localPort === client) written.push("client");
      original.apply(this, parameters);
    });
  }
  return written;
}
