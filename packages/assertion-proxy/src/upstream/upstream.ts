import { parseAuthority } from "@countersign/agent-key";

/** The one server that a proxy forwards to. */
export interface Upstream {
  readonly protocol: "http:" | "https:";
  /** For the dial: an IPv6 address without brackets. */
  readonly host: string;
  readonly port: number;
  /** The `Host` field: the origin's host, and its port unless it is the scheme's own. */
  readonly authority: string;
  /** What stands before every forwarded target; empty or `/…` without a slash at its end. */
  readonly basePath: string;
  /** Host and port, for messages. */
  readonly name: string;
}

/** Options of {@link parseUpstream}. */
export interface ParseUpstreamOptions {
  /** Allow `http:` to a host other than loopback. Default false. */
  readonly insecureHttp?: boolean | undefined;
}

/**
 * Parses an upstream's base URL, once, at start. Nothing in a request ever changes where it goes.
 *
 * @throws {AgentKeyError} `config_invalid` when it is no http(s) URL, has credentials, a query or a fragment, or needs `insecureHttp`
 */
export function parseUpstream(value: string, options: ParseUpstreamOptions = {}): Upstream {
  const url = new URL(parseAuthority(value, options, "upstream"));
  const protocol = url.protocol === "https:" ? "https:" : "http:";
  const port = url.port === "" ? (protocol === "https:" ? 443 : 80) : Number(url.port);
  return {
    protocol,
    host: url.hostname.replace(/^\[|\]$/g, ""),
    port,
    authority: url.host,
    basePath: url.pathname.replace(/\/+$/, ""),
    name: `${url.hostname}:${port}`,
  };
}
