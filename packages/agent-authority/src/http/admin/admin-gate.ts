import type { IncomingMessage } from "node:http";
import { isLoopbackHost } from "@countersign/agent-key";
import { AgentAuthorityError } from "../../agent-authority-error.js";
import { Refusal } from "../../registry/refusal.js";

// What only a browser sends, and only for a page that some server gave it.
const PAGE_FIELDS: ReadonlySet<string> = new Set(["origin", "sec-fetch-site"]);
const PREFLIGHT_PREFIX = "access-control-request-";
const IPV4_MAPPED = /^::ffff:(?=\d+\.)/i;
const HOST = /^(?:\[[\da-f:.]+\]|[\w.-]+)(?::\d{1,5})?$/;

/**
 * Makes the check that comes before anything else on an admin listener: `Host` is what the listener is called by, and no page in a browser
 * sent the request.
 *
 * @param hosts - what it is called by besides its own address and port
 * @returns throws a {@link Refusal} `forbidden`
 * @throws {AgentAuthorityError} `config_invalid` for something that is no value of `Host`
 * @see security.md "Signing proxy", whose rules these are
 */
export function createAdminGate(hosts: readonly string[]): (request: IncomingMessage) => void {
  const named = new Set(hosts.map((host) => host.toLowerCase()));
  for (const host of named) {
    if (HOST.test(host)) continue;
    throw new AgentAuthorityError("config_invalid", "an admin listener cannot be called that", {
      hint: "write a host, and its port where it is not that of the scheme: admin.example:8443",
    });
  }
  return (request) => {
    if (!isOwnHost(request, named)) {
      throw new Refusal("forbidden", "Host is not what this listener is called by", {
        hint: "call it by its address, or let its operator name the host",
      });
    }
    if (isFromPage(request.rawHeaders)) {
      throw new Refusal("forbidden", "pages of a browser are not served here");
    }
  };
}

// A web page can make its own name resolve to this machine (DNS rebinding), but the browser then sends that name as Host.
function isOwnHost(request: IncomingMessage, named: ReadonlySet<string>): boolean {
  const [host, another] = request.headersDistinct.host ?? [];
  if (host === undefined || another !== undefined) return false;
  if (named.has(host.toLowerCase())) return true;
  const { localAddress, localPort } = request.socket;
  const url = `http://${host}/`;
  if (localAddress === undefined || !HOST.test(host.toLowerCase()) || !URL.canParse(url))
    return false;
  const { hostname, port } = new URL(url);
  if (Number(port === "" ? 80 : port) !== localPort) return false;
  const address = localAddress.replace(IPV4_MAPPED, "");
  const name = hostname.replace(/^\[(.*)\]$/, "$1");
  return name === address || (isLoopbackHost(address) && isLoopbackHost(hostname));
}

function isFromPage(rawHeaders: readonly string[]): boolean {
  return rawHeaders.some((field, index) => {
    if (index % 2 === 1) return false;
    const name = field.toLowerCase();
    return PAGE_FIELDS.has(name) || name.startsWith(PREFLIGHT_PREFIX);
  });
}
