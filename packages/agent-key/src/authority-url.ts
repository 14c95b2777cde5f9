import { AgentKeyError } from "./agent-key-error.js";
import { isLoopbackHost } from "./loopback-host.js";

// What may be repeated in a message: a URL without user name, query or fragment. Anything else may be, or hold, a secret.
const HARMLESS_URL = /^[a-z][a-z0-9+.-]{0,20}:\/\/[A-Za-z0-9._~:/[\]-]{1,200}$/i;

const AUTHORITY_HINT = "give a base URL with its scheme, such as https://authority.example";

/** Options of {@link parseAuthority} and {@link parseOrigin}. */
export interface HttpUrlOptions {
  /** Allow `http:` to hosts other than loopback. Default false. Turns off the protection of every token and signature on the way. */
  readonly insecureHttp?: boolean | undefined;
}

/**
 * Normalises the base URL of an authority, so that equal authorities are equal texts: scheme and host in lower case, default port and
 * trailing slashes dropped, path kept.
 *
 * Keys, identities, tasks and caches are bound to this text. `https:` is required but for loopback hosts.
 *
 * @param option - what the URL was given as, for the message; for instance `authority`. Default: not said
 * @throws {AgentKeyError} `config_invalid` when it is no http(s) URL, has credentials, a query or a fragment, or needs `insecureHttp`
 * @see docs/protocol.md §3
 */
export function parseAuthority(
  value: string,
  options: HttpUrlOptions = {},
  option?: string | undefined,
): string {
  const refuse = refusalOf(option);
  const url = parseHttpUrl(value, options, AUTHORITY_HINT, refuse);
  if (url.search !== "" || url.hash !== "") {
    const shown = shownOf(url.origin + url.pathname);
    throw refuse(`${shown} must not have a query or a fragment`, AUTHORITY_HINT);
  }
  return url.origin + url.pathname.replace(/\/+$/, "");
}

/**
 * Returns the origin of a URL (scheme, host, port) in its one canonical form; origins are compared as this, never as raw texts.
 *
 * @param option - what the URL was given as, for the message; for instance `bearerOrigins`. Default: not said
 * @throws {AgentKeyError} `config_invalid` when it is no http(s) URL, has credentials, or needs `insecureHttp`
 */
export function parseOrigin(
  value: string,
  options: HttpUrlOptions = {},
  option?: string | undefined,
): string {
  const hint = "give an origin with its scheme, such as https://api.example";
  return parseHttpUrl(value, options, hint, refusalOf(option)).origin;
}

type Refuse = (what: string, hint: string) => AgentKeyError;

function refusalOf(option: string | undefined): Refuse {
  const where = option === undefined ? "" : `${option}: `;
  return (what, hint) => new AgentKeyError("config_invalid", `${where}${what}`, { hint });
}

function parseHttpUrl(value: string, options: HttpUrlOptions, hint: string, refuse: Refuse): URL {
  const url = URL.canParse(value) ? new URL(value) : undefined;
  if (url === undefined || (url.protocol !== "https:" && url.protocol !== "http:")) {
    throw refuse(`${shownOf(value)} is not an http(s) URL`, hint);
  }
  if (url.username !== "" || url.password !== "") {
    throw refuse(
      "a URL with a user name or password is refused",
      "pass credentials by their own options",
    );
  }
  if (url.protocol === "http:" && !isLoopbackHost(url.hostname) && options.insecureHttp !== true) {
    throw refuse(
      `${url.origin} is plain http to another machine`,
      "use https; only the option insecureHttp (--insecure-http) allows http there, where it exists",
    );
  }
  return url;
}

function shownOf(value: string): string {
  return HARMLESS_URL.test(value) ? `"${value}"` : "the value given";
}
