import type { IncomingMessage } from "node:http";
import { fieldLines, fieldValues, type RawFields } from "../head/raw-fields.js";
import { RequestRefusal } from "../refusal/request-refusal.js";
import { type AllowedHost, parseHost } from "./allowed-hosts.js";
import { type ClientToken, presentedTokens } from "./client-token.js";
import type { SigningListener } from "./signing-listener.js";

/** What the gate of a signing proxy goes by. */
export interface SigningGateOptions {
  /** Where the proxy listens. */
  readonly listener: () => SigningListener | undefined;
  /** The token that clients present; absent: none is asked for. Unix sockets never ask. */
  readonly token: ClientToken | undefined;
  /** Comparable names of the fields that may hold it, beside `Authorization`. */
  readonly keyFields: readonly string[];
  /** What clients may name in `Host` beside the proxy's own address. */
  readonly allowedHosts: readonly AllowedHost[];
}

// What only a browser sends, and only for a page that some server gave it.
const PAGE_FIELDS: ReadonlySet<string> = new Set(["origin", "sec-fetch-site"]);
const PREFLIGHT_PREFIX = "access-control-request-";

const HINT = "send it as Authorization: Bearer, not in the URL";
const IPV4_MAPPED = /^::ffff:(?=\d+\.)/i;

/**
 * Makes the check that comes before anything else: a request must come from a local program, not from a page in a browser or from another
 * machine. Checked in this order: `Host`, the fields of browsers, the client token, and the places that go to the upstream as they are (the
 * URL and the key of a WebSocket handshake), which must not contain the token.
 *
 * @returns a function that throws a `RequestRefusal`: `forbidden` for the first two, `unauthenticated` for the others
 * @see security.md "Signing proxy"
 */
export function createSigningGate(options: SigningGateOptions): (request: IncomingMessage) => void {
  return (request) => {
    const { rawHeaders } = request;
    const listener = options.listener();
    const { allowedHosts } = options;
    if (!isServedHost(request, listener, allowedHosts)) throw wrongHost(rawHeaders, options.token);
    if (isFromPage(rawHeaders)) {
      throw new RequestRefusal("forbidden", "this proxy does not serve pages of a browser");
    }
    const { token, keyFields } = options;
    if (token === undefined) return;
    if (listener?.kind !== "socket") checkToken(presentedTokens(rawHeaders, keyFields), token);
    checkPlace(request, token);
  };
}

// Against DNS rebinding: an attacker's page can make its own name lead to this machine, but the browser then sends that name as Host.
function isServedHost(
  request: IncomingMessage,
  listener: SigningListener | undefined,
  allowedHosts: readonly AllowedHost[],
): boolean {
  const [host, another] = fieldValues(request.rawHeaders, "host");
  if (host === undefined || another !== undefined || listener === undefined) return false;
  // A Unix socket has no address, and no page reaches it: clients name any host.
  if (listener.kind === "socket") return true;
  const { localAddress, localPort } = request.socket;
  if (localAddress === undefined || localPort === undefined) return false;
  const served: readonly AllowedHost[] = [
    { host: localAddress.replace(IPV4_MAPPED, "").toLowerCase() },
    { host: listener.host.toLowerCase() },
    ...allowedHosts,
  ];
  const named = parseHost(host);
  return served.some((own) => {
    // Clients leave the port out where it is the scheme's own.
    return named?.host === own.host && (named.port ?? 80) === (own.port ?? localPort);
  });
}

function wrongHost(fields: RawFields, token: ClientToken | undefined): RequestRefusal {
  const hosts = fieldValues(fields, "host");
  const [host = ""] = hosts;
  const named = hosts.length === 1 && token?.isIn(host) !== true ? parseHost(host) : undefined;
  // A Host that is not valid may hold anything, so the message does not show it.
  const what =
    named === undefined
      ? "Host does not name one address that this proxy listens on"
      : `the Host ${host} is not an address that this proxy listens on`;
  const how = named === undefined ? "HOST:PORT" : withPort(host, named);
  return new RequestRefusal(
    "forbidden",
    `${what}: use the base URL that it printed, or start the proxy with --allow-host ${how}`,
  );
}

// Without a port, a Host means 80, and an allowed host means the port that the connection came to.
function withPort(host: string, named: AllowedHost): string {
  return named.port === undefined ? `${host}:80` : host;
}

function isFromPage(fields: RawFields): boolean {
  for (const { name } of fieldLines(fields)) {
    if (PAGE_FIELDS.has(name) || name.startsWith(PREFLIGHT_PREFIX)) return true;
  }
  return false;
}

// A client may present the token in several places, as some do with their key, but nothing else in any of them.
function checkToken(places: readonly (readonly string[])[], token: ClientToken): void {
  const presented = places.flat();
  if (presented.length === 0) {
    throw unauthenticated(`the client token of this proxy is missing: ${HINT}`);
  }
  if (places.some(({ length }) => length > 1)) {
    throw unauthenticated("one field has more than one credential: send the client token once");
  }
  if (!presented.every(token.isEqual)) {
    throw unauthenticated("a credential is not the client token of this proxy");
  }
}

function checkPlace({ url = "", rawHeaders }: IncomingMessage, token: ClientToken): void {
  if (token.isIn(url)) throw unauthenticated(`the URL contains the client token: ${HINT}`);
  if (fieldValues(rawHeaders, "sec-websocket-key").some(token.isIn)) {
    throw unauthenticated("the Sec-WebSocket-Key contains the client token: send random bytes");
  }
}

function unauthenticated(message: string): RequestRefusal {
  return new RequestRefusal("unauthenticated", message);
}
