import { type Credential, type CredentialSource, parseOrigin } from "@countersign/agent-key";
import { AssertionSigner } from "../sign/assertion-signer.js";
import { authorizationField } from "./authorization-field.js";
import { followRedirect, isRedirect, MAX_REDIRECTS } from "./follow-redirect.js";
import { describeCall, type Hop, type OutgoingCall } from "./outgoing-call.js";
import { discard, refusalCode } from "./refusal-code.js";

type Fetch = typeof globalThis.fetch;

/** Options of {@link withAssertion}. */
export interface WithAssertionOptions {
  /**
   * The origins whose requests get a credential, for instance `https://api.example`; compared as parsed origins. `https`, or `http` to a
   * loopback host. Requests to other origins pass untouched.
   */
  readonly origins: readonly string[];
  /** Makes the headers. Default: one of its own, by the local clock. */
  readonly signer?: AssertionSigner | undefined;
  /** Hears that a caller's own `Authorization` header won. Default: `process.emitWarning`, once. */
  readonly onWarning?: ((message: string) => void) | undefined;
  /** Allows plain `http` origins on other machines. Default false. Shows every assertion to the network. */
  readonly insecureHttp?: boolean | undefined;
}

/**
 * Makes a `fetch` that signs the requests to the named origins, each when it is sent.
 *
 * On 401 the source is told, and the request is sent once more if the source gives another credential and the body can be sent again: a
 * text, bytes, a Blob, a form, but no stream and no `Request` that has a body. Redirects are followed as `fetch` does: from one named
 * origin to another they are signed anew; from the first that leads elsewhere on, none of them carries a credential. A caller's own
 * `Authorization` header wins, with a warning.
 *
 * The returned `fetch` rejects with the source's error when there is no credential: nothing is sent without one.
 *
 * @throws {AgentKeyError} `config_invalid` when an origin is none, or is plain http to another machine
 * @see protocol.md §8
 */
export function withAssertion(
  fetch: Fetch,
  source: CredentialSource,
  options: WithAssertionOptions,
): Fetch {
  const { insecureHttp } = options;
  const origins = new Set(options.origins.map((origin) => parseOrigin(origin, { insecureHttp })));
  const signer = options.signer ?? new AssertionSigner();
  const warn = options.onWarning ?? warnOnce();

  return async (input, init) => {
    const call = describeCall(input, init);
    if (call === undefined || !origins.has(call.first.url.origin)) return fetch(input, init);
    if (call.first.headers.has("authorization")) {
      warn(`a request to ${call.first.url.origin} has its own Authorization header: not signed`);
      return fetch(input, init);
    }
    return new SignedCall(call, { fetch, source, signer, origins }).send();
  };
}

interface Means {
  readonly fetch: Fetch;
  readonly source: CredentialSource;
  readonly signer: AssertionSigner;
  readonly origins: ReadonlySet<string>;
}

// One call of the caller's: its hops, and the one repetition that it has.
class SignedCall {
  readonly #call: OutgoingCall;
  readonly #means: Means;
  #hasRepeated = false;
  // Once a redirect led elsewhere, whoever is there chooses the next URL: it is not signed any more, wherever it leads.
  #hasLeft = false;

  constructor(call: OutgoingCall, means: Means) {
    this.#call = call;
    this.#means = means;
  }

  async send(): Promise<Response> {
    let hop = this.#call.first;
    for (let redirects = 0; ; redirects += 1) {
      const response = await this.#sendHop(hop);
      const next = this.#nextHop(hop, response, redirects);
      if (next === undefined) {
        if (redirects > 0) Object.defineProperty(response, "redirected", { value: true });
        return response;
      }
      hop = next;
    }
  }

  #nextHop(hop: Hop, response: Response, redirects: number): Hop | undefined {
    if (this.#call.redirect !== "follow" || !isRedirect(response)) return undefined;
    discard(response);
    if (redirects === MAX_REDIRECTS) throw new TypeError("too many redirects");
    return followRedirect(hop, response);
  }

  async #sendHop(hop: Hop): Promise<Response> {
    const { source, origins } = this.#means;
    const { origin } = hop.url;
    this.#hasLeft ||= !origins.has(origin);
    if (this.#hasLeft) return this.#fetchHop(hop, undefined);
    const { signal } = this.#call;
    const credential = await source.credential({ signal });
    const response = await this.#fetchHop(hop, credential);
    if (response.status !== 401) {
      source.accepted(credential, origin);
      return response;
    }
    const other = await this.#otherCredential(credential, response, origin);
    if (other === undefined || !hop.isReplayable || this.#hasRepeated) return response;
    this.#hasRepeated = true;
    discard(response);
    const repeated = await this.#fetchHop(hop, other);
    if (repeated.status !== 401) source.accepted(other, origin);
    return repeated;
  }

  async #otherCredential(
    credential: Credential,
    response: Response,
    origin: string,
  ): Promise<Credential | undefined> {
    const code = await refusalCode(response);
    try {
      const { signal } = this.#call;
      return await this.#means.source.refused(credential, { code, origin }, { signal });
    } catch (error) {
      // Nobody will get the answer: the source's error says more.
      discard(response);
      throw error;
    }
  }

  #fetchHop(hop: Hop, credential: Credential | undefined): Promise<Response> {
    const headers = [...hop.headers];
    if (credential !== undefined) {
      const field = authorizationField(credential, hop.url.origin, this.#means.signer);
      headers.push(["authorization", field]);
    }
    const { redirect, signal } = this.#call;
    return this.#means.fetch(hop.input, {
      ...hop.init,
      ...(signal === undefined ? {} : { signal }),
      headers: headers.map(([name, value]): [string, string] => [name, value]),
      // Left to `fetch`, a redirect would be followed without a new assertion, or with this one.
      redirect: redirect === "follow" ? "manual" : redirect,
    });
  }
}

function warnOnce(): (message: string) => void {
  let hasWarned = false;
  return (message) => {
    if (hasWarned) return;
    hasWarned = true;
    process.emitWarning(message, { code: "COUNTERSIGN_OWN_AUTHORIZATION" });
  };
}
