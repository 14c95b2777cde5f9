import type { IncomingMessage } from "node:http";
import { expect, test } from "vitest";
import { RequestRefusal } from "../refusal/request-refusal.js";
import { createSigningGate } from "./signing-gate.js";

/** What the gate says to a request with this Host on a connection to this address: a code, or nothing. */
function verdict(host: string, localAddress: string | undefined, localPort: number, at: string) {
  const gate = createSigningGate({
    listener: () => ({ kind: "address", host: at }),
    token: undefined,
    keyFields: [],
  });
  const request = { rawHeaders: ["Host", host], socket: { localAddress, localPort } };
  try {
    gate(request as unknown as IncomingMessage);
    return undefined;
  } catch (error) {
    return RequestRefusal.is(error) ? error.code : error;
  }
}

test.each([
  ["127.0.0.1", "127.0.0.1", 80, "127.0.0.1"],
  ["127.0.0.1:80", "127.0.0.1", 80, "127.0.0.1"],
  ["192.0.2.7:4701", "::ffff:192.0.2.7", 4701, "::"],
  ["[::1]:4701", "::1", 4701, "::1"],
  ["[2001:DB8::1]:4701", "2001:db8::1", 4701, "::"],
  ["Proxy.Internal:4701", "192.0.2.7", 4701, "proxy.internal"],
])("Host %s is the proxy's own at %s, port %i, listening on %s", (host, address, port, at) => {
  expect(verdict(host, address, port, at)).toBeUndefined();
});

test.each([
  ["127.0.0.1", "127.0.0.1", 4701, "127.0.0.1"],
  ["127.0.0.1:443", "127.0.0.1", 80, "127.0.0.1"],
  ["127.0.0.1:4701", "192.0.2.7", 4701, "0.0.0.0"],
  ["::1:4701", "::1", 4701, "::1"],
  ["192.0.2.7:4701 ", "192.0.2.7", 4701, "0.0.0.0"],
  ["127.0.0.1:4701", undefined, 4701, "127.0.0.1"],
])("Host %j is not at %s, port %i, listening on %s", (host, address, port, at) => {
  expect(verdict(host, address, port, at)).toBe("forbidden");
});

test("a proxy that does not know where it listens serves nobody", () => {
  const gate = createSigningGate({ listener: () => undefined, token: undefined, keyFields: [] });
  const request = { rawHeaders: ["Host", "x"], socket: { localAddress: "x", localPort: 80 } };
  expect(() => gate(request as unknown as IncomingMessage)).toThrow(RequestRefusal);
});
