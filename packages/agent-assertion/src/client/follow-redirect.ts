/** As many as the fetch standard follows. */
export const MAX_REDIRECTS = 20;

const STATUSES: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);
const BODY_HEADERS = [
  "content-digest",
  "content-encoding",
  "content-language",
  "content-length",
  "content-location",
  "content-type",
];
const ORIGIN_HEADERS = ["authorization", "cookie", "host", "proxy-authorization"];

/** What is sent, as far as a redirect changes it. */
export interface RedirectableRequest {
  readonly url: URL;
  readonly method: string;
  readonly isReplayable: boolean;
}

/** The head of an answer that may be a redirect. */
export interface RedirectAnswer {
  readonly status: number;
  readonly location: string | null;
}

/** The request that a redirect asks for. */
export interface RedirectedRequest {
  readonly url: URL;
  readonly method: string;
  /** Names of fields, in lower case, that it has no more. */
  readonly droppedFields: readonly string[];
  /** Whether the body is sent again; else there is none any more. */
  readonly keepsBody: boolean;
}

/** Returns whether an answer asks for another request. */
export function isRedirect({ status, location }: RedirectAnswer): boolean {
  return STATUSES.has(status) && location !== null;
}

/**
 * The request that a redirect asks for, by the rules of the fetch standard ("HTTP-redirect fetch"), without any credential.
 *
 * @throws {TypeError} as `fetch` does, when the redirect cannot be followed
 */
export function followRedirect(
  request: RedirectableRequest,
  { status, location }: RedirectAnswer,
): RedirectedRequest {
  const url = targetOf(location ?? "", request.url);
  const left = url.origin === request.url.origin ? [] : ORIGIN_HEADERS;
  const { method } = request;
  const becomesGet =
    ((status === 301 || status === 302) && method === "POST") ||
    (status === 303 && method !== "GET" && method !== "HEAD");
  if (becomesGet) {
    return { url, method: "GET", droppedFields: [...left, ...BODY_HEADERS], keepsBody: false };
  }
  if (!request.isReplayable) {
    throw new TypeError("a redirect needs a body that cannot be sent again");
  }
  return { url, method, droppedFields: left, keepsBody: true };
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
