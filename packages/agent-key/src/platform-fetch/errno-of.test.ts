import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import { errnoOf } from "./errno-of.js";

const refused = Object.assign(new Error("no"), { code: "ECONNREFUSED" });
const endless: Error = new Error("endless");
endless.cause = endless;

test("finds a code for what Node's fetch cannot read as HTTP", async () => {
  const server = createServer((socket) => socket.end("what?\r\n\r\n"));
  onTestFinished(() => void server.close());
  await once(server.listen(0, "127.0.0.1"), "listening");
  const { port } = server.address() as AddressInfo;
  const error: unknown = await fetch(`http://127.0.0.1:${port}/`).catch((cause) => cause);
  expect(errnoOf(error)).toMatch(/^HPE_/);
});

test.each([
  ["of its own", refused, "ECONNREFUSED"],
  ["of its cause", new TypeError("fetch failed", { cause: refused }), "ECONNREFUSED"],
  ["of the first of several", new AggregateError([refused, new Error("other")]), "ECONNREFUSED"],
  ["nowhere", new Error("no"), undefined],
  ["nowhere in an endless chain", endless, undefined],
  ["nowhere in a text", "ECONNREFUSED", undefined],
])("finds the code %s", (_, error, code) => {
  expect(errnoOf(error)).toBe(code);
});
