import type { AxiosHeaders, AxiosStatic, InternalAxiosRequestConfig } from "axios";
import { followRedirect, type RedirectAnswer } from "../follow-redirect.js";
import { isReplayableValue, knownBody } from "../request-body.js";

/** What of axios the adapter uses. */
export type Axios = Pick<AxiosStatic, "AxiosError" | "AxiosHeaders" | "getAdapter" | "getUri">;

/** One request of an axios call: the first, or the one that a redirect asks for. */
export interface AxiosHop {
  readonly url: URL;
  readonly method: string;
  readonly headers: AxiosHeaders;
  /** As axios' transformations left it; a function makes it anew for each attempt. */
  readonly data: unknown;
  /** Whether the same body can be sent once more. */
  readonly isReplayable: boolean;
  /** The bytes of the body, if it was read to be bound. */
  readonly bytes?: Uint8Array | undefined;
}

/** Finds out where a call goes; `undefined` for what is no absolute URL. */
export function axiosUrl(axios: Axios, config: InternalAxiosRequestConfig): URL | undefined {
  const {
    url = "",
    baseURL = "",
    params = {},
    paramsSerializer,
    allowAbsoluteUrls = true,
  } = config;
  const serializer = paramsSerializer === undefined ? {} : { paramsSerializer };
  // All of them are given, so that none of axios' global defaults takes the place of one that the call has not.
  const uri = axios.getUri({ url, baseURL, params, allowAbsoluteUrls, ...serializer });
  return URL.canParse(uri) ? new URL(uri) : undefined;
}

/** Whether a call has a credential of its own: a header, a user name, or one in its URL. */
export function hasOwnCredential({ headers, auth }: InternalAxiosRequestConfig, url: URL): boolean {
  return (
    headers.has("authorization") || Boolean(auth) || url.username !== "" || url.password !== ""
  );
}

/** The first request of a call. */
export function firstHop(url: URL, config: InternalAxiosRequestConfig): AxiosHop {
  const { method = "get", headers } = config;
  const data: unknown = config.data;
  const isReplayable = typeof data === "function" || isReplayableValue(data);
  return { url, method: method.toUpperCase(), headers, data, isReplayable };
}

/**
 * The same hop with a body whose bytes are known, to be bound.
 *
 * @throws {AgentAssertionError} `invalid_request` when its body is a stream
 */
export async function withKnownData(axios: Axios, hop: AxiosHop): Promise<AxiosHop> {
  const { bytes, type } = await knownBody(hop.data);
  if (bytes === undefined) return hop;
  const headers = new axios.AxiosHeaders(hop.headers);
  // Forms and Blobs have a type of their own, which axios would take too. That of a text is the caller's matter.
  if (type !== undefined && typeof hop.data !== "string") headers.setContentType(type);
  return { ...hop, headers, bytes, data: Buffer.from(bytes) };
}

/**
 * The request that a redirect asks for, after the caller's own `sensitiveHeaders` and `beforeRedirect`.
 *
 * @throws {TypeError} when the redirect cannot be followed; and whatever the caller's `beforeRedirect` throws
 */
export function nextHop(
  axios: Axios,
  hop: AxiosHop,
  config: InternalAxiosRequestConfig,
  answer: RedirectAnswer & { readonly headers: Record<string, string> },
): AxiosHop {
  const { url, method, droppedFields, keepsBody } = followRedirect(hop, answer);
  const headers = new axios.AxiosHeaders(hop.headers);
  headers.delete([...droppedFields]);
  if (url.origin !== hop.url.origin) headers.delete([...(config.sensitiveHeaders ?? [])]);
  const { protocol, hostname, host, port, href, pathname, search } = url;
  const path = pathname + search;
  const options = { protocol, hostname, host, port, href, path, method, headers: headers.toJSON() };
  config.beforeRedirect?.(
    options,
    { headers: answer.headers, statusCode: answer.status },
    { headers: hop.headers.toJSON(true), url: hop.url.href, method: hop.method },
  );
  const next = { url, method, headers: new axios.AxiosHeaders(options.headers) };
  return keepsBody ? { ...hop, ...next } : { ...next, data: undefined, isReplayable: true };
}
