import type { Hop } from "./outgoing-call.js";

/** As many as the fetch standard follows. */
export const MAX_REDIRECTS = 20;

const STATUSES: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);
const BODY_HEADERS = [
  "content-encoding",
  "content-language",
  "content-length",
  "content-location",
  "content-type",
];
const ORIGIN_HEADERS = ["authorization", "cookie", "host", "proxy-authorization"];

/** Tells whether an answer asks for another request. */
export function isRedirect(response: Response): boolean {
  return STATUSES.has(response.status) && response.headers.has("location");
}

/**
 * The request that a redirect asks for, by the rules of the fetch standard ("HTTP-redirect fetch"), without any credential.
 *
 * @throws {TypeError} as `fetch` does, when the redirect cannot be followed
 */
export function followRedirect(hop: Hop, response: Response): Hop {
  const url = targetOf(response.headers.get("location") ?? "", hop.url);
  const headers = new Headers(hop.headers);
  if (url.origin !== hop.url.origin) {
    for (const name of ORIGIN_HEADERS) headers.delete(name);
  }
  const { status } = response;
  const becomesGet =
    ((status === 301 || status === 302) && hop.method === "POST") ||
    (status === 303 && hop.method !== "GET" && hop.method !== "HEAD");
  if (becomesGet) {
    for (const name of BODY_HEADERS) headers.delete(name);
    const init = { ...hop.init, method: "GET", body: null };
    return { url, method: "GET", headers, isReplayable: true, input: url.href, init };
  }
  if (!hop.isReplayable) throw new TypeError("a redirect needs a body that cannot be sent again");
  return { ...hop, url, headers, input: url.href, init: { ...hop.init, method: hop.method } };
}

function targetOf(location: string, base: URL): URL {
  const url = URL.canParse(location, base.href) ? new URL(location, base.href) : undefined;
  if (url?.protocol !== "https:" && url?.protocol !== "http:") {
    throw new TypeError("a redirect names no http(s) URL");
  }
  if (url.username !== "" || url.password !== "") {
    throw new TypeError("a redirect names a URL with a user name or password");
  }
  if (url.hash === "") url.hash = base.hash;
  return url;
}
