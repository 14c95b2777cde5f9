import { connect } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import { ByteWatcher } from "./byte-watcher.js";
import { startSigningProxy, type TestSigningProxy } from "./start-signing-proxy.js";

const REFUSED: readonly [string, (signing: TestSigningProxy) => string, number][] = [
  ["CONNECT", () => "CONNECT x:1 HTTP/1.1\r\nHost: x\r\n\r\n", 400],
  ["bytes that are no HTTP", () => "NOT HTTP\r\n\r\n", 400],
  [
    "a handshake",
    ({ request }) => request("GET", "/v1", "Connection: Upgrade\r\nUpgrade: websocket\r\n"),
    400,
  ],
  ["a long body", () => "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999\r\n\r\n", 403],
];

// A refused connection is read on for 30 s at most: longer than this test may take.
test.each(REFUSED)(
  "close() does not wait for a client that goes on sending after a refusal of %s",
  { timeout: 25_000 },
  async (_, bytesFor, status) => {
    const signing = await startSigningProxy({ upstream: "http://127.0.0.1:1" });
    const { hostname, port } = new URL(signing.url);
    const socket = connect({ host: hostname, port: Number(port), allowHalfOpen: true });
    socket.on("error", () => {});
    onTestFinished(() => void socket.destroy());
    const bytes = new ByteWatcher(socket);
    socket.write(bytesFor(signing));
    expect(await bytes.until("\r\n\r\n")).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
    const sending = setInterval(() => void socket.write("x"), 200);
    onTestFinished(() => clearInterval(sending));
    await signing.proxy.close({ drainMs: 1 });
    await bytes.closed;
  },
);
