import type { CredentialSource } from "@countersign/agent-key";
import type { AxiosAdapter, AxiosResponse, InternalAxiosRequestConfig } from "axios";
import { AgentAssertionError } from "../../agent-assertion-error.js";
import type { AssertionOptions } from "../assertion-options.js";
import { AuthorizedRequest } from "../authorized-request.js";
import { type Authorizer, createAuthorizer, type Fields } from "../authorizer.js";
import { checkFunction } from "../check-transport.js";
import { isRedirect, MAX_REDIRECTS } from "../follow-redirect.js";
import { requestBinder } from "../request-binder.js";
import { sendAuthorized } from "../send-authorized.js";
import {
  type Axios,
  type AxiosHop,
  axiosUrl,
  firstHop,
  nextHop,
  ownFieldsOf,
  withKnownData,
  withoutOwn,
} from "./axios-hop.js";
import { answerCode, answerField, discardAnswer, hideRequest, settle } from "./axios-response.js";

const USED = ["getAdapter", "getUri", "AxiosHeaders", "AxiosError"] as const;

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
 * in memory for them: from one named URL to another they are signed again; from the first that leads elsewhere on, none of them carries a
 * credential, of the agent or of the caller. The caller's `sensitiveHeaders` and `beforeRedirect` are heeded; the latter sees the next
 * request, and may change its headers, but credentials that it adds are treated as the caller's own.
 *
 * A caller's own `Authorization`, `auth`, user name in the URL and key fields are replaced at the named URLs; `ownAuthorization` and
 * `keepFields` decide otherwise. While the feature is off axios sends the request as its caller made it, unless the human's token may go to
 * the origin. Answers and errors hold the caller's configuration, without the assertion; `request`, which is Node's, holds what was sent,
 * and is not printed with them.
 *
 * Without a credential a call rejects with the source's error, and nothing is sent. With `binding` it rejects with an
 * {@link AgentAssertionError} `invalid_request` when the data is a stream.
 *
 * @param axios - your copy of axios; its default export
 * @throws {AgentKeyError | AgentAssertionError} `config_invalid` if an argument, an option, an origin or a pattern is not valid
 * @see protocol.md §10
 */
export function assertionAdapter(
  axios: Axios,
  source: CredentialSource,
  options: AssertionAdapterOptions,
): AxiosAdapter {
  for (const name of USED) {
    checkFunction(`axios.${name}`, axios?.[name], "give axios 1, source and options in this order");
  }
  const authorizer = createAuthorizer(source, options, requestBinder);
  return async (config) => {
    requireKnownForm(config);
    const send = axios.getAdapter(options.adapter ?? "http", config);
    const url = axiosUrl(axios, config);
    if (url !== undefined) return new AxiosCall(axios, authorizer, send, config).send(url);
    authorizer.elsewhere(undefined);
    return send(withData(config));
  };
}

/** Requests of which it cannot be known where they go, or whose fields cannot be changed, would be sent without a signature. */
function requireKnownForm(config: InternalAxiosRequestConfig): void {
  const { url, baseURL, headers } = config;
  const texts = [url, baseURL].filter((value) => value !== undefined && value !== null);
  const isKnown = texts.length > 0 && texts.every((value) => typeof value === "string");
  if (isKnown && typeof headers?.has === "function") return;
  throw new AgentAssertionError(
    "config_invalid",
    "the configuration of this call does not have the form of axios 1",
    { hint: "use assertionAdapter with axios 1, and give the call a url or a baseURL" },
  );
}

// One call of the caller's, with all its hops.
class AxiosCall {
  readonly #axios: Axios;
  readonly #config: InternalAxiosRequestConfig;
  readonly #send: AxiosAdapter;
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
    const { signal } = config;
    this.#request = new AuthorizedRequest(
      authorizer,
      signal instanceof AbortSignal ? signal : undefined,
    );
  }

  async send(url: URL): Promise<AxiosResponse> {
    try {
      return await this.#sendHops(url);
    } catch (error) {
      this.#request.failed(error);
      throw error;
    }
  }

  async #sendHops(url: URL): Promise<AxiosResponse> {
    const { AxiosError } = this.#axios;
    const limit = maxRedirects(this.#config);
    let hop = firstHop(url, this.#config);
    for (let redirects = 0; ; redirects += 1) {
      const rule = await this.#request.enter(hop.url, ownFieldsOf(hop));
      if (rule.kind === "as_made") return this.#send(withData(this.#config));
      hop = withoutOwn(this.#axios, hop, rule.without);
      if (this.#request.isBound && hop.bytes === undefined) {
        hop = await withKnownData(this.#axios, hop);
      }
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

  async #attempt(hop: AxiosHop, fields: Fields): Promise<AxiosResponse> {
    const { url, method, headers, data, auth } = hop;
    const { auth: _, ...config } = this.#config;
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
      ...(auth === undefined ? {} : { auth }),
    };
    try {
      const response = await this.#send(withData(attempt));
      response.config = this.#config;
      hideRequest(response);
      return response;
    } catch (error) {
      // What is logged of an error must not hold the assertion.
      if (error instanceof this.#axios.AxiosError) {
        error.config = this.#config;
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
