import {
  CountersignError,
  isLoopbackHost,
  parseAuthority,
  parseOrigin,
} from "@countersign/agent-key";
import type { Run } from "../config/run.js";
import { CliError } from "../text/cli-error.js";

/** A URL, and who says so. */
export interface NamedUrl {
  readonly url: string;
  /** The switch, variable or line of the configuration that it stands in; errors begin with it. */
  readonly from: string;
}

/**
 * Normalises the base URL of an authority, a gateway or an upstream. Plain http to another machine needs `--insecure-http`, and is warned of.
 *
 * @throws {CliError} `config_invalid`, naming the option or variable, if it is not an http(s) URL, or if it is plain http to another machine
 *   without `--insecure-http`
 */
export function parseBaseUrl(run: Run, named: NamedUrl): string {
  return allowPlainHttp(run, named, parseUnsentBaseUrl(named));
}

/**
 * Gives the origin of a URL that a credential may go to. Plain http to another machine needs `--insecure-http`, and is warned of.
 *
 * @throws {CliError} as {@link parseBaseUrl}
 */
export function parseOriginUrl(run: Run, named: NamedUrl): string {
  return allowPlainHttp(run, named, parseNamed(named, parseOrigin));
}

/**
 * Gives an origin that a human's token may go to. Plain http is for loopback, whatever else is allowed.
 *
 * @throws {CliError} `config_invalid`, naming who says so, if it is not an http(s) URL, or plain http to another machine
 */
export function parseBearerOrigin(named: NamedUrl): string {
  return parseNamed(named, (url) => parseOrigin(url));
}

/**
 * Normalises a base URL as {@link parseBaseUrl} does, for commands that send nothing: any kind of http is as good as another.
 *
 * @throws {CliError} `config_invalid`, naming who says so, when it is no http(s) URL
 */
export function parseUnsentBaseUrl(named: NamedUrl): string {
  return parseNamed(named, parseAuthority);
}

function parseNamed({ url, from }: NamedUrl, parse: typeof parseAuthority): string {
  try {
    return parse(url, { insecureHttp: true });
  } catch (error) {
    if (!CountersignError.is(error)) throw error;
    const { code, message, hint } = error;
    throw new CliError(code, `${from}: ${message}`, { cause: error, hint });
  }
}

function allowPlainHttp(run: Run, { url, from }: NamedUrl, normalised: string): string {
  const { protocol, hostname, origin } = new URL(url);
  if (protocol !== "http:" || isLoopbackHost(hostname)) return normalised;
  if (!run.http.insecureHttp) {
    throw new CliError("config_invalid", `${from}: ${origin} is plain http to another machine`, {
      hint: "use https; or add --insecure-http, and every machine on the way can read every credential",
    });
  }
  run.warnOnce(`every machine on the way to ${origin} can read every credential (--insecure-http)`);
  return normalised;
}
