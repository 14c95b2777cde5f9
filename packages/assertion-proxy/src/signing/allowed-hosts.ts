import { AssertionProxyError } from "../refusal/assertion-proxy-error.js";

/** A host that clients may name in `Host`. */
export interface AllowedHost {
  /** In lower case; an IPv6 address without brackets. */
  readonly host: string;
  /** Absent: the port that the connection came to. */
  readonly port?: number | undefined;
}

const FORM = /^(?:\[([0-9a-f:.]+)\]|([a-z0-9._-]+))(?::(\d{1,5}))?$/;

/**
 * Reads the hosts that clients of a signing proxy may name beside its own address, each as `HOST` or `HOST:PORT`; an IPv6 address stands in
 * brackets.
 *
 * @throws {AssertionProxyError} `config_invalid` for another form, and a port that is not from 1 to 65535
 */
export function parseAllowedHosts(hosts: readonly string[]): readonly AllowedHost[] {
  return hosts.map((text) => {
    const found = typeof text === "string" ? parseHost(text) : undefined;
    if (found !== undefined) return found;
    throw new AssertionProxyError(
      "config_invalid",
      `allowedHosts has ${JSON.stringify(text)}, which is not HOST or HOST:PORT`,
      { hint: "write it as clients do, such as host.docker.internal:4800 or [::1]:4800" },
    );
  });
}

/** Reads one host, in the form of a `Host` field. @returns `undefined` if it has another form */
export function parseHost(text: string): AllowedHost | undefined {
  const [, address, name, digits] = FORM.exec(text.toLowerCase()) ?? [];
  const host = address ?? name;
  if (host === undefined) return undefined;
  if (digits === undefined) return { host };
  const port = Number(digits);
  return port >= 1 && port <= 65_535 ? { host, port } : undefined;
}
