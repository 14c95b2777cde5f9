import type { IncomingMessage } from "node:http";
import { fieldLines, fieldValues, type RawFields } from "./raw-fields.js";
import { RequestRefusal } from "./request-refusal.js";
import type { SigningListener } from "./signing-listener.js";

/** What the gate of a signing proxy goes by. */
export interface SigningGateOptions {
  /** Where the proxy listens. */
  readonly listener: () => SigningListener | undefined;
  /** Tells whether a token is the client token; absent: none is asked for. Unix sockets never ask. */
  readonly isToken: ((presented: string) => boolean) | undefined;
}

// What only a browser sends, and only for a page that some server gave it.
const PAGE_FIELDS: ReadonlySet<string> = new Set(["origin", "sec-fetch-site"]);
const PREFLIGHT_PREFIX = "access-control-request-";

const BEARER = /^bearer +([!-~]+)$/i;
const IPV4_MAPPED = /^::ffff:(?=\d+\.)/i;

/**
 * Makes the check that comes before anything else: that a request is a local program's, and neither a page's in a browser nor a
 * stranger's. In this order: `Host`, the fields of browsers, the client token.
 *
 * @returns throws a `RequestRefusal`: `forbidden` for the first two, `unauthenticated` for the third
 * @see security.md "Signing proxy"
 */
export function createSigningGate(options: SigningGateOptions): (request: IncomingMessage) => void {
  return (request) => {
    const { rawHeaders } = request;
    const listener = options.listener();
    if (!isOwnHost(request, listener)) {
      throw new RequestRefusal("forbidden", "Host is not the address that this proxy listens on");
    }
    if (isFromPage(rawHeaders)) {
      throw new RequestRefusal("forbidden", "this proxy does not serve pages of a browser");
    }
    if (options.isToken !== undefined && listener?.kind !== "socket") {
      checkToken(rawHeaders, options.isToken);
    }
  };
}

// Whoever makes a name lead to this machine (DNS rebinding) cannot make the browser send another Host than that name.
function isOwnHost(request: IncomingMessage, listener: SigningListener | undefined): boolean {
  const [host, another] = fieldValues(request.rawHeaders, "host");
  if (host === undefined || another !== undefined || listener === undefined) return false;
  // A Unix socket has no address, and no page reaches it: clients name any host.
  if (listener.kind === "socket") return true;
  const { localAddress, localPort } = request.socket;
  if (localAddress === undefined || localPort === undefined) return false;
  return [localAddress.replace(IPV4_MAPPED, ""), listener.host].some((name) =>
    namesOf(name, localPort).includes(host.toLowerCase()),
  );
}

function namesOf(name: string, port: number): string[] {
  const host = name.includes(":") ? `[${name.toLowerCase()}]` : name.toLowerCase();
  // Clients leave the port out where it is the scheme's own.
  return port === 80 ? [host, `${host}:80`] : [`${host}:${port}`];
}

function isFromPage(fields: RawFields): boolean {
  for (const { name } of fieldLines(fields)) {
    if (PAGE_FIELDS.has(name) || name.startsWith(PREFLIGHT_PREFIX)) return true;
  }
  return false;
}

function checkToken(fields: RawFields, isToken: (presented: string) => boolean): void {
  const bearers = fieldValues(fields, "authorization");
  const keys = fieldValues(fields, "x-api-key");
  const [presented, another] = [...bearers.map(tokenOfBearer), ...keys];
  if (presented === undefined) {
    throw unauthenticated("the client token of this proxy is missing");
  }
  if (another !== undefined) throw unauthenticated("there is more than one credential");
  if (!isToken(presented)) throw unauthenticated("this is not the client token of this proxy");
}

function tokenOfBearer(value: string): string {
  return BEARER.exec(value)?.[1] ?? "";
}

function unauthenticated(message: string): RequestRefusal {
  return new RequestRefusal("unauthenticated", message);
}
