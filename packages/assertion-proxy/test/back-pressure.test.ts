import { once } from "node:events";
import {
  createServer,
  request as httpRequest,
  type IncomingMessage,
  type RequestListener,
} from "node:http";
import type { AddressInfo } from "node:net";
import type { Writable } from "node:stream";
import { expect, onTestFinished, test } from "vitest";
import { sendRaw } from "./raw-client.js";
import { startGateway, type TestGateway } from "./start-gateway.js";

const TOTAL = 64 * 1024 * 1024;
const PIECE = Buffer.alloc(65_536, 7);

/** Writes TOTAL bytes as fast as the other side takes them. */
function pour(to: Writable): { readonly sent: () => number } {
  let sent = 0;
  const go = (): void => {
    while (sent < TOTAL) {
      sent += PIECE.length;
      if (!to.write(PIECE)) return;
    }
    to.off("drain", go);
    to.end();
  };
  to.on("drain", go);
  go();
  return { sent: () => sent };
}

async function startBehindGateway(onPost: RequestListener): Promise<TestGateway> {
  const server = createServer((request, response) => {
    if (request.method === "POST") onPost(request, response);
    else response.end("ok");
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return startGateway({
    upstream: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
  });
}

function post(gateway: TestGateway) {
  const authorization = gateway.authorization.slice("Authorization: ".length);
  return httpRequest(gateway.url, { method: "POST", headers: { authorization } });
}

// Many other requests go through the whole time: what could move on would have.
async function letOthersPass(gateway: TestGateway): Promise<void> {
  for (let count = 0; count < 100; count += 1) {
    await sendRaw(gateway.url, gateway.request("GET", "/v1", "Connection: close\r\n"));
  }
}

async function readAll(from: IncomingMessage): Promise<number> {
  let bytes = 0;
  for await (const part of from) bytes += part.length;
  return bytes;
}

test("a client is held back while the upstream does not read", async () => {
  let read = (): void => {};
  const gateway = await startBehindGateway((request, response) => {
    read = () => void readAll(request).then((bytes) => response.end(String(bytes)));
    response.flushHeaders();
  });
  const request = post(gateway);
  const { sent } = pour(request);
  const [response] = (await once(request, "response")) as [IncomingMessage];
  await letOthersPass(gateway);
  expect(sent()).toBeLessThan(TOTAL / 2);
  read();
  expect(String(await response.setEncoding("utf8").toArray())).toBe(String(TOTAL));
});

test("an upstream is held back while the client does not read", async () => {
  let sent = (): number => 0;
  const gateway = await startBehindGateway((_, response) => {
    ({ sent } = pour(response));
  });
  const request = post(gateway);
  request.end();
  const [response] = (await once(request, "response")) as [IncomingMessage];
  await letOthersPass(gateway);
  expect(sent()).toBeLessThan(TOTAL / 2);
  expect(await readAll(response)).toBe(TOTAL);
});
