import type {
  AxiosBasicCredentials,
  AxiosHeaders,
  AxiosStatic,
  InternalAxiosRequestConfig,
} from "axios";
import { followRedirect, type RedirectAnswer } from "../follow-redirect.js";
import { credentialFieldsIn } from "../own-credentials.js";
import { isReplayableValue, knownBody } from "../request-body.js";

/** What of axios the adapter uses. */
export type Axios = Pick<AxiosStatic, "AxiosError" | "AxiosHeaders" | "getAdapter" | "getUri">;

/** One request of an axios call: the first, or the one that a redirect asks for. */
export interface AxiosHop {
  /** Without user name and password. */
  readonly url: URL;
  readonly method: string;
  readonly headers: AxiosHeaders;
  /** The caller's own user name and password, of its `auth` or of the URL. */
  readonly auth?: AxiosBasicCredentials | undefined;
  /** The body as axios' transformations left it. A function makes a new body for each attempt. */
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

/** The credential fields of a hop, in lower case: a user name becomes an `Authorization` too. */
export function ownFieldsOf({ headers, auth }: AxiosHop): readonly string[] {
  return credentialFieldsIn(
    (name) => headers.has(name) || (name === "authorization" && auth !== undefined),
  );
}

/** The same hop without these fields of its caller, in lower case. */
export function withoutOwn(axios: Axios, hop: AxiosHop, names: readonly string[]): AxiosHop {
  const headers = new axios.AxiosHeaders(hop.headers);
  headers.delete([...names]);
  return { ...hop, headers, auth: names.includes("authorization") ? undefined : hop.auth };
}

/** The first request of a call. */
export function firstHop(given: URL, config: InternalAxiosRequestConfig): AxiosHop {
  const { method = "get", headers } = config;
  const data: unknown = config.data;
  const isReplayable = typeof data === "function" || isReplayableValue(data);
  const url = new URL(given);
  url.username = "";
  url.password = "";
  const auth = config.auth || authOf(given);
  return { url, method: method.toUpperCase(), headers, auth, data, isReplayable };
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
  const isSameOrigin = url.origin === hop.url.origin;
  if (!isSameOrigin) headers.delete([...(config.sensitiveHeaders ?? [])]);
  const { protocol, hostname, host, port, href, pathname, search } = url;
  const path = pathname + search;
  const options = { protocol, hostname, host, port, href, path, method, headers: headers.toJSON() };
  config.beforeRedirect?.(
    options,
    { headers: answer.headers, statusCode: answer.status },
    { headers: hop.headers.toJSON(true), url: hop.url.href, method: hop.method },
  );
  const auth = isSameOrigin ? hop.auth : undefined;
  const next = { url, method, headers: new axios.AxiosHeaders(options.headers), auth };
  return keepsBody ? { ...hop, ...next } : { ...next, data: undefined, isReplayable: true };
}

function authOf({ username, password }: URL): AxiosBasicCredentials | undefined {
  if (username === "" && password === "") return undefined;
  return { username: decoded(username), password: decoded(password) };
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    // As axios has it: what is not encoded stands for itself.
    return text;
  }
}
