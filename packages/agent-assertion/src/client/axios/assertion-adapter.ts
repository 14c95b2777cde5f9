import type { CredentialSource } from "@countersign/agent-key";
import type { AxiosAdapter, AxiosResponse, InternalAxiosRequestConfig } from "axios";
import type { AssertionOptions } from "../assertion-options.js";
import { AuthorizedRequest } from "../authorized-request.js";
import { type Authorizer, createAuthorizer, type Fields } from "../authorizer.js";
import { isRedirect, MAX_REDIRECTS } from "../follow-redirect.js";
import { sendAuthorized } from "../send-authorized.js";
import {
  type Axios,
  type AxiosHop,
  axiosUrl,
  firstHop,
  hasOwnCredential,
  nextHop,
  withKnownData,
} from "./axios-hop.js";
import { answerCode, answerField, discardAnswer, hideRequest, settle } from "./axios-response.js";

/** Options of {@link assertionAdapter}. */
export interface AssertionAdapterOptions extends AssertionOptions {
  /** What sends: one of axios' own adapters, or another. Default `"http"`. */
  readonly adapter?: "http" | "fetch" | AxiosAdapter | undefined;
}

/**
 * Makes an axios adapter that signs the requests to the named origins, each when it is sent:
 * `axios.create({ adapter: assertionAdapter(axios, thread, { origins }) })`.
 *
 * On 401 the source is told, and the request is sent once more if the source gives another credential and the data can be sent again: a
 * text, bytes, a Blob, a standard form, a function that makes a stream; but no stream, and no form of the package `form-data`, which is
 * one. Redirects are followed here, up to `maxRedirects` (default 20), by the rules of `fetch` for either adapter, and streams are not kept
 * in memory for them: from one named URL to another they are signed anew; from the first that leads elsewhere on, none of them carries a
 * credential. The caller's `sensitiveHeaders` and `beforeRedirect` are heeded; the latter sees the next request, and may change its headers.
 *
 * A caller's own `Authorization` header, `auth` or user name in the URL wins, with a warning. Answers and errors hold the caller's
 * configuration, without the assertion; `request`, which is Node's, holds what was sent, and is not printed with them.
 *
 * Without a credential a call rejects with the source's error, and nothing is sent. With `binding` it rejects with an
 * {@link AgentAssertionError} `invalid_request` when the data is a stream.
 *
 * @param axios - your copy of axios; its default export
 * @throws {AgentKeyError | AgentAssertionError} `config_invalid` when an origin or a pattern is none
 * @see protocol.md §8
 */
export function assertionAdapter(
  axios: Axios,
  source: CredentialSource,
  options: AssertionAdapterOptions,
): AxiosAdapter {
  const authorizer = createAuthorizer(source, options);
  return async (config) => {
    const send = axios.getAdapter(options.adapter ?? "http", config);
    const url = axiosUrl(axios, config);
    if (url === undefined || !authorizer.covers(url)) return send(withData(config));
    if (hasOwnCredential(config, url)) {
      authorizer.warnOfOwnHeader(url);
      return send(withData(config));
    }
    return new AxiosCall(axios, authorizer, send, config).send(url);
  };
}

// One call of the caller's, with all its hops.
class AxiosCall {
  readonly #axios: Axios;
  readonly #config: InternalAxiosRequestConfig;
  readonly #send: AxiosAdapter;
  readonly #isBinding: boolean;
  readonly #request: AuthorizedRequest;

  constructor(
    axios: Axios,
    authorizer: Authorizer,
    send: AxiosAdapter,
    config: InternalAxiosRequestConfig,
  ) {
    this.#axios = axios;
    this.#config = config;
    this.#send = send;
    this.#isBinding = authorizer.isBinding;
    const { signal } = config;
    this.#request = new AuthorizedRequest(
      authorizer,
      signal instanceof AbortSignal ? signal : undefined,
    );
  }

  async send(url: URL): Promise<AxiosResponse> {
    const { AxiosError } = this.#axios;
    const limit = maxRedirects(this.#config);
    const first = firstHop(url, this.#config);
    let hop = this.#isBinding ? await withKnownData(this.#axios, first) : first;
    for (let redirects = 0; ; redirects += 1) {
      const response = await this.#sendHop(hop);
      const location = answerField(response, "location");
      const answer = { status: response.status, location, headers: textFields(response) };
      if (limit === 0 || !isRedirect(answer)) return settle(this.#axios, this.#config, response);
      discardAnswer(response);
      if (redirects === limit) {
        const code = AxiosError.ERR_FR_TOO_MANY_REDIRECTS;
        const error = new AxiosError("too many redirects", code, this.#config, response.request);
        hideRequest(error);
        throw error;
      }
      hop = nextHop(this.#axios, hop, this.#config, answer);
    }
  }

  #sendHop(hop: AxiosHop): Promise<AxiosResponse> {
    const { url, method, bytes, headers, isReplayable } = hop;
    const digest = headers.get("content-digest");
    return sendAuthorized<AxiosResponse>(this.#request, {
      outgoing: {
        url,
        method,
        body: bytes,
        contentDigest: typeof digest === "string" ? digest : undefined,
      },
      isReplayable,
      send: (fields) => this.#attempt(hop, fields),
      statusOf: (response) => response.status,
      codeOf: answerCode,
      discard: discardAnswer,
    });
  }

  async #attempt({ url, method, headers, data }: AxiosHop, fields: Fields): Promise<AxiosResponse> {
    const config = this.#config;
    const signed = new this.#axios.AxiosHeaders(headers);
    for (const [name, value] of fields) signed.set(name, value);
    const attempt: InternalAxiosRequestConfig = {
      ...config,
      // The very URL that was checked, whole.
      url: url.href,
      baseURL: "",
      params: undefined,
      method,
      headers: signed,
      data,
      // Left to axios, a redirect would be followed without a new assertion, or with this one.
      maxRedirects: 0,
      validateStatus: null,
    };
    try {
      const response = await this.#send(withData(attempt));
      response.config = config;
      hideRequest(response);
      return response;
    } catch (error) {
      // What is logged of an error must not hold the assertion.
      if (error instanceof this.#axios.AxiosError) {
        error.config = config;
        hideRequest(error);
      }
      throw error;
    }
  }
}

function withData(config: InternalAxiosRequestConfig): InternalAxiosRequestConfig {
  const data: unknown = config.data;
  return typeof data === "function" ? { ...config, data: data() } : config;
}

function maxRedirects({ maxRedirects, fetchOptions }: InternalAxiosRequestConfig): number {
  const redirect: unknown = fetchOptions && Reflect.get(fetchOptions, "redirect");
  return redirect === "manual" || redirect === "error" ? 0 : (maxRedirects ?? MAX_REDIRECTS);
}

function textFields(response: AxiosResponse): Record<string, string> {
  const names = Object.keys(response.headers);
  return Object.fromEntries(names.map((name) => [name, answerField(response, name) ?? ""]));
}
