import type { IncomingMessage } from "node:http";
import { Server, type Socket } from "node:net";
import { isLoopbackHost } from "@countersign/agent-key";
import { type HeaderLines, readHeaderLines } from "./read-headers.js";

// The addresses of a connection stay, and Node asks the system for the listener's each time.
const loopbackConnections = new WeakMap<Socket, boolean>();

/**
 * Returns whether a request was made on this machine to a listener of this machine's loopback: the listener is bound to loopback, `Host` is
 * a loopback name, and no header says that a proxy passed the request on. Returns `false` if it cannot find out.
 *
 * @see protocol.md §5.8
 */
export function isLoopbackRequest(request: IncomingMessage): boolean {
  return (
    isLoopbackConnection(request.socket) &&
    hasLoopbackHost(readHeaderLines(request)) &&
    !request.rawHeaders.some((name, i) => i % 2 === 0 && isProxyHeader(name))
  );
}

function isLoopbackConnection(socket: Socket): boolean {
  const known = loopbackConnections.get(socket);
  if (known !== undefined) return known;
  const isLoopback = [socket.localAddress, socket.remoteAddress, boundAddress(socket)].every(
    isLoopbackAddress,
  );
  loopbackConnections.set(socket, isLoopback);
  return isLoopback;
}

// The listener that accepted a socket is a property that Node sets and its types leave out.
function boundAddress(socket: object): string | undefined {
  const server: unknown = Reflect.get(socket, "server");
  const address = server instanceof Server ? server.address() : null;
  return typeof address === "object" ? address?.address : undefined;
}

function hasLoopbackHost(headers: HeaderLines): boolean {
  const [host, ...others] = headers.host ?? [];
  if (host === undefined || others.length > 0) return false;
  const url = `http://${host}/`;
  if (!URL.canParse(url)) return false;
  const { hostname, pathname, username } = new URL(url);
  return pathname === "/" && username === "" && isLoopbackHost(hostname);
}

function isLoopbackAddress(address: string | undefined): boolean {
  if (address === undefined) return false;
  return isLoopbackHost(address.startsWith("::ffff:") ? address.slice("::ffff:".length) : address);
}

// Names by which proxies pass on a client's address or the request that it made, without what is no letter or digit.
const OF_PROXIES =
  /^(?:via|cdnloop)$|forward|^xoriginal|^xenvoy|(?:real|client|cluster|connecting|connection|external|remote|user|socket|peer|source)(?:ip|addr)/;

// Servers behind a proxy take "_" and "." for "-", and proxies write what such servers read.
function isProxyHeader(name: string): boolean {
  return OF_PROXIES.test(name.toLowerCase().replace(/[^a-z\d]/g, ""));
}
