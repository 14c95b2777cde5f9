import type { IncomingMessage } from "node:http";
import { BlockList, isIP, SocketAddress } from "node:net";

/** What of a request says where it comes from. */
export type AddressedRequest = Pick<IncomingMessage, "headers"> & {
  readonly socket: { readonly remoteAddress?: string | undefined };
};

/** The proxies whose `X-Forwarded-For` is believed. */
export type TrustedProxies = BlockList;

const MAPPED = "::ffff:";
const WITH_PORT = /^(?:\[([^\]]*)\](?::\d{1,5})?|(\d+\.\d+\.\d+\.\d+):\d{1,5})$/;
const SUBNET = /^([^/]+)\/(\d{1,3})$/;

/**
 * Reads a list of addresses and networks in CIDR form.
 *
 * @returns `undefined` where one of them is neither
 */
export function parseTrustedProxies(list: readonly string[]): TrustedProxies | undefined {
  const proxies = new BlockList();
  for (const entry of list) {
    const [, network = entry, bits] = SUBNET.exec(entry) ?? [];
    const version = isIP(network);
    const most = version === 4 ? 32 : 128;
    if (version === 0 || network.includes("%") || Number(bits ?? most) > most) return undefined;
    proxies.addSubnet(network, Number(bits ?? most), version === 4 ? "ipv4" : "ipv6");
  }
  return proxies;
}

/**
 * Finds out where a request comes from: the other end of the connection, or, as long as that is a trusted proxy, whom it names last in
 * `X-Forwarded-For`. Nothing of that header counts further left than the first address that is no trusted proxy.
 *
 * @returns in one form for each address, an IPv4 one never as IPv6; `undefined` where the connection is gone
 */
export function clientAddressOf(
  request: AddressedRequest,
  proxies: TrustedProxies,
): string | undefined {
  let address = normaliseAddress(request.socket.remoteAddress ?? "");
  if (address === undefined || !isTrustedProxy(address, proxies)) return address;
  const hops = String(request.headers["x-forwarded-for"] ?? "").split(",");
  for (const hop of hops.reverse()) {
    const named = normaliseAddress(hop.trim());
    // No address: what stands left of it is no better known, so the proxy itself is the answer.
    if (named === undefined) break;
    address = named;
    if (!isTrustedProxy(address, proxies)) break;
  }
  return address;
}

/** Returns the one form of an address; `undefined` if the text is not an address. */
export function normaliseAddress(text: string): string | undefined {
  const [, inBrackets, beforePort] = WITH_PORT.exec(text) ?? [];
  const [bare = ""] = (inBrackets ?? beforePort ?? text).split("%", 1);
  const version = isIP(bare);
  if (version === 0) return undefined;
  if (version === 4) return bare;
  const { address } = new SocketAddress({ address: bare, family: "ipv6" });
  return address.startsWith(MAPPED) && address.includes(".")
    ? address.slice(MAPPED.length)
    : address;
}

/** Returns whether a normalised address is that of a trusted proxy. */
export function isTrustedProxy(address: string, proxies: TrustedProxies): boolean {
  return proxies.check(address, isIP(address) === 4 ? "ipv4" : "ipv6");
}

/** Returns the `source` by which a verifier shares out lookups, for an address in any form; `undefined` if it is not known or not valid. */
export function sourceOf(address: string | undefined): string | undefined {
  const normalised = address === undefined ? undefined : normaliseAddress(address);
  return normalised === undefined ? undefined : networkOf(normalised);
}

const GROUPS = 8;
const NETWORK_GROUPS = 4;

/**
 * What limits count a client by: an IPv4 address as it is, the /64 of an IPv6 one, of which one machine has all addresses to itself.
 *
 * @param address - normalised: no dotted quad at its end but in addresses that are IPv4
 */
export function networkOf(address: string): string {
  if (isIP(address) !== 6) return address;
  const [head = "", tail] = address.split("::");
  const before = head === "" ? [] : head.split(":");
  const after = tail === undefined || tail === "" ? [] : tail.split(":");
  const zeros = Array<string>(Math.max(0, GROUPS - before.length - after.length)).fill("0");
  const groups = tail === undefined ? before : [...before, ...zeros, ...after];
  return `${groups.slice(0, NETWORK_GROUPS).join(":")}::/64`;
}
