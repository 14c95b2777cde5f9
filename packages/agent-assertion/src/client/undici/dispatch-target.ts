import { stringify } from "node:querystring";
import type { Dispatcher } from "undici";

/** Where a request of a dispatcher goes. */
export interface DispatchTarget {
  readonly url: URL;
  /** Path and query byte for byte as they are sent: undici resolves no dot segments. */
  readonly path: string;
  readonly targetUri: string;
}

/** Finds out where a request goes; `undefined` where that cannot be told, or is no path on the origin it is sent to. */
export function dispatchTarget(opts: Dispatcher.DispatchOptions): DispatchTarget | undefined {
  const given: unknown = opts.path;
  if (typeof given !== "string" || !given.startsWith("/")) return undefined;
  const origin = URL.parse(String(opts.origin))?.origin;
  if (origin === undefined) return undefined;
  const query = opts.query ? stringify(opts.query) : "";
  const path = query === "" ? given : `${given}?${query}`;
  // Joined as texts: a path such as "//host" names no other host.
  const targetUri = origin + path;
  const url = URL.parse(targetUri);
  return url === null ? undefined : { url, path, targetUri };
}

/** What is known of the redirects that led to a request. */
export interface RedirectChain {
  /** The URLs that it came through, the first one first. */
  readonly urls: readonly URL[];
  /** The same object for all requests of one chain; `undefined` without a redirect interceptor. */
  readonly id: object | undefined;
}

/**
 * The redirects that led to this request, as undici's redirect interceptor keeps them.
 *
 * Interceptors wrap the caller's handler, each keeping the inner one as `handler`; the one that follows redirects keeps a `history`.
 */
export function redirectChain(handler: object): RedirectChain {
  const urls: URL[] = [];
  const seen = new Set<object>();
  let id: object | undefined;
  for (
    let next: unknown = handler;
    isObject(next) && !seen.has(next);
    next = member(next, "handler")
  ) {
    seen.add(next);
    const history = member(next, "history");
    if (!Array.isArray(history)) continue;
    id ??= history;
    urls.push(...history.filter((url) => url instanceof URL));
  }
  return { urls, id };
}

function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null;
}

function member(value: object, name: string): unknown {
  return Reflect.get(value, name);
}
