import type { IncomingMessage } from "node:http";
import { expect, test } from "vitest";
import { AssertionProxyError } from "../refusal/assertion-proxy-error.js";
import { RequestRefusal } from "../refusal/request-refusal.js";
import { parseAllowedHosts } from "./allowed-hosts.js";
import { createSigningGate } from "./signing-gate.js";

/** What the gate says to a request with this Host on a connection to this address: a code, or nothing. */
function verdict(
  host: string,
  localAddress: string | undefined,
  localPort: number,
  at: string,
  allowed: readonly string[] = [],
) {
  const gate = createSigningGate({
    listener: () => ({ kind: "address", host: at }),
    token: undefined,
    keyFields: [],
    allowedHosts: parseAllowedHosts(allowed),
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

test("a proxy that does not know where it listens serves no request", () => {
  const gate = createSigningGate({
    listener: () => undefined,
    token: undefined,
    keyFields: [],
    allowedHosts: parseAllowedHosts(["x"]),
  });
  const request = { rawHeaders: ["Host", "x"], socket: { localAddress: "x", localPort: 80 } };
  expect(() => gate(request as unknown as IncomingMessage)).toThrow(RequestRefusal);
});

test.each([
  ["proxy:4701", "proxy"],
  ["PROXY:4701", "Proxy"],
  ["my_service:4701", "my_service"],
  ["localhost:8080", "localhost:8080"],
  ["localhost", "localhost:80"],
  ["host.docker.internal:4701", "host.docker.internal"],
  ["[fd00::7]:9000", "[FD00::7]:9000"],
])("Host %s is allowed by %s at port 4701", (host, allowed) => {
  expect(verdict(host, "172.17.0.2", 4701, "0.0.0.0")).toBe("forbidden");
  expect(verdict(host, "172.17.0.2", 4701, "0.0.0.0", ["other", allowed])).toBeUndefined();
});

test.each([
  ["proxy:4702", "proxy"],
  ["proxy", "proxy"],
  ["localhost:4701", "localhost:8080"],
  ["page.example:4701", "proxy"],
  ["proxy.page.example:4701", "proxy"],
  ["xproxy:4701", "proxy"],
  ["proxy:4701.", "proxy"],
  ["x@proxy:4701", "proxy"],
])("Host %s is not allowed by %s at port 4701", (host, allowed) => {
  expect(verdict(host, "172.17.0.2", 4701, "0.0.0.0", [allowed])).toBe("forbidden");
});

test.each([
  "",
  "*",
  "*.example",
  "http://proxy",
  "proxy/v1",
  "proxy:",
  "proxy:0",
  "proxy:65536",
  "::1",
])("the allowed host %j is config_invalid", (text) => {
  let thrown: unknown;
  try {
    parseAllowedHosts(["proxy", text]);
  } catch (error) {
    thrown = error;
  }
  expect(AssertionProxyError.is(thrown) && thrown.code).toBe("config_invalid");
  expect(String(thrown)).toContain(`allowedHosts has ${JSON.stringify(text)}`);
});
