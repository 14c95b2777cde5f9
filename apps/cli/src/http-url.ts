import { isLoopbackHost, parseAuthority, parseOrigin } from "@countersign/agent-key";
import { CliError } from "./cli-error.js";
import type { Run } from "./run.js";

/**
 * Normalises the base URL of an authority, a gateway or an upstream. Plain http to another machine needs `--insecure-http`, and is warned of.
 *
 * @throws {CliError} `config_invalid` when it is plain http to another machine and nobody allowed that by name
 * @throws {AgentKeyError} `config_invalid` when it is no http(s) URL
 */
export function parseBaseUrl(run: Run, url: string): string {
  return checked(run, url, parseAuthority(url, { insecureHttp: true }));
}

/**
 * Gives the origin of a URL that a credential may go to. Plain http to another machine needs `--insecure-http`, and is warned of.
 *
 * @throws {CliError} `config_invalid` when it is plain http to another machine and nobody allowed that by name
 * @throws {AgentKeyError} `config_invalid` when it is no http(s) URL
 */
export function parseOriginUrl(run: Run, url: string): string {
  return checked(run, url, parseOrigin(url, { insecureHttp: true }));
}

function checked(run: Run, url: string, normalised: string): string {
  const { protocol, hostname, origin } = new URL(url);
  if (protocol !== "http:" || isLoopbackHost(hostname)) return normalised;
  if (!run.http.insecureHttp) {
    throw new CliError("config_invalid", `${origin} is plain http to another machine`, {
      hint: "use https; or add --insecure-http, and everybody on the way can read every credential",
    });
  }
  run.warnOnce(`everybody on the way to ${origin} can read every credential (--insecure-http)`);
  return normalised;
}
