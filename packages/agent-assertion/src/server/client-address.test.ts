import { createServer, get } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, expect, onTestFinished, test } from "vitest";
import { clientAddressOf, networkOf, parseTrustedProxies } from "./client-address.js";

/** Where a server finds that a request from this machine, which is the trusted proxy 127.0.0.1 or is not, comes from. */
async function addressOf(forwardedFor: string | undefined, trusted: readonly string[]) {
  const proxies = parseTrustedProxies(trusted) ?? expect.fail("no list of proxies");
  const found = Promise.withResolvers<string | undefined>();
  const server = createServer((request, response) => {
    found.resolve(clientAddressOf(request, proxies));
    response.end();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => void server.close());
  const { port } = server.address() as AddressInfo;
  const headers = forwardedFor === undefined ? {} : { "x-forwarded-for": forwardedFor };
  get({ host: "127.0.0.1", port, headers, agent: false }, (response) => response.resume());
  return await found.promise;
}

describe("trusted proxies", () => {
  test.each(["", "proxy.example", "10.0.0.0/33", "10.0.0.0/", "fe80::1%eth0", "2001:db8::/129"])(
    "are not %j",
    (entry) => {
      expect(parseTrustedProxies(["127.0.0.1", entry])).toBeUndefined();
    },
  );

  test("are the addresses of a network, and one alone without bits", () => {
    const proxies = parseTrustedProxies(["10.1.0.0/16", "192.0.2.7", "2001:db8::/32", "::1"]);
    const isTrusted = (address: string) =>
      proxies?.check(address, address.includes(":") ? "ipv6" : "ipv4");
    expect(["10.1.255.1", "192.0.2.7", "2001:db8:9::1", "::1"].map(isTrusted)).not.toContain(false);
    expect(["10.2.0.1", "192.0.2.6", "2001:db9::1", "::2"].map(isTrusted)).not.toContain(true);
  });
});

describe("a client's address", () => {
  test("is the other end of the connection where that is no trusted proxy, whatever it says", async () => {
    expect(await addressOf("192.0.2.1", [])).toBe("127.0.0.1");
    expect(await addressOf("192.0.2.1", ["10.0.0.0/8"])).toBe("127.0.0.1");
  });

  test.each([
    ["192.0.2.9, 192.0.2.1", "192.0.2.1"],
    ["192.0.2.9, 192.0.2.1, 10.0.0.5", "192.0.2.1"],
    ["192.0.2.1:4711", "192.0.2.1"],
    ["[2001:DB8::1]:4711", "2001:db8::1"],
    ["192.0.2.1, unknown", "127.0.0.1"],
    ["192.0.2.1, unknown, 10.0.0.5", "10.0.0.5"],
    ["10.0.0.6, 10.0.0.5", "10.0.0.6"],
    [undefined, "127.0.0.1"],
  ])("is the last in %j that is no trusted proxy", async (forwardedFor, expected) => {
    expect(await addressOf(forwardedFor, ["127.0.0.1", "10.0.0.0/8"])).toBe(expected);
  });

  test("is found behind a trusted proxy that has an IPv6 address", async () => {
    const trusted = ["127.0.0.1", "2001:db8::/32"];
    expect(await addressOf("192.0.2.1, 2001:db8::1", trusted)).toBe("192.0.2.1");
    expect(await addressOf("192.0.2.1, 2001:db9::1", trusted)).toBe("2001:db9::1");
  });

  test("counts as its /64 for IPv6, and as it is for IPv4", () => {
    const networks = [
      ["192.0.2.1", "192.0.2.1"],
      ["2001:db8::1", "2001:db8:0:0::/64"],
      ["2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"],
      ["2001::1:2:3:4:5:6", "2001:0:1:2::/64"],
      ["2001:db8:1:2:3::", "2001:db8:1:2::/64"],
      ["2001:db8::", "2001:db8:0:0::/64"],
      ["::1:2:3:4:5:6:7", "0:1:2:3::/64"],
      ["::1", "0:0:0:0::/64"],
    ] as const;
    expect(networks.map(([address]) => networkOf(address))).toEqual(networks.map(([, is]) => is));
  });
});
