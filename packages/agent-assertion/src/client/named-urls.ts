import { parseOrigin } from "@countersign/agent-key";
import { findHiddenPath } from "@countersign/agent-key/escaping";
import { AgentAssertionError } from "../agent-assertion-error.js";

interface NamedUrls {
  /** The origins, each once. */
  readonly origins: readonly string[];
  /** Whether requests to this URL get a credential. */
  covers(url: URL): boolean;
}

interface NamedUrl {
  readonly origin: string;
  /** Segments of the path that the URL must have; absent: any path. */
  readonly segments: readonly string[] | undefined;
}

/**
 * Reads the origins and URL patterns that a transport's caller named.
 *
 * A pattern is matched on the parsed path, where dot segments are resolved, `%2e` too. A path in which `findHiddenPath` finds something is below
 * no pattern: a server that decodes it would leave the pattern.
 *
 * @throws {AgentKeyError} `config_invalid` if an entry is not a URL, has credentials, or is plain http to another machine
 * @throws {AgentAssertionError} `config_invalid` if a `*` stands in the host, in a query, or for a part of a segment
 */
export function parseNamedUrls(
  entries: readonly string[],
  options: { readonly insecureHttp?: boolean | undefined },
): NamedUrls {
  const named = entries.map((entry) => parseNamedUrl(entry, options));
  return {
    origins: [...new Set(named.map(({ origin }) => origin))],
    covers(url) {
      // Put together at each access.
      const { origin } = url;
      return named.some(
        (one) =>
          one.origin === origin &&
          (one.segments === undefined || isBelow(url.pathname, one.segments)),
      );
    },
  };
}

function parseNamedUrl(
  entry: string,
  options: { readonly insecureHttp?: boolean | undefined },
): NamedUrl {
  const origin = parseOrigin(entry, options, "origins");
  if (origin.includes("*")) {
    throw invalid("a pattern must not have a * in its host", "name each origin");
  }
  const { pathname, search, hash } = new URL(entry);
  // An escaped * is refused as well: a pattern must not name more than its author meant.
  if (!/\*|%2a/i.test(pathname + search + hash)) return { origin, segments: undefined };
  if (search !== "" || hash !== "") {
    throw invalid(
      "a pattern must not have a query or a fragment",
      "patterns are matched on the path alone",
    );
  }
  const segments = pathname.split("/").slice(1);
  if (segments.some((segment) => segment !== "*" && /\*|%2a/i.test(segment))) {
    throw invalid(
      "a pattern must not have a * for a part of a segment",
      "write a * for a whole segment",
    );
  }
  return { origin, segments };
}

function isBelow(pathname: string, pattern: readonly string[]): boolean {
  if (findHiddenPath(pathname) !== undefined) return false;
  const segments = pathname.split("/").slice(1);
  const last = pattern.length - 1;
  if (pattern[last] !== "*" && segments.length !== pattern.length) return false;
  if (segments.length < pattern.length) return false;
  return pattern.every((wanted, i) =>
    wanted === "*" ? segments[i] !== "" || i === last : wanted === segments[i],
  );
}

function invalid(message: string, hint: string): AgentAssertionError {
  return new AgentAssertionError("config_invalid", `origins: ${message}`, { hint });
}
