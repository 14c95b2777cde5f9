import type { AgentSigner } from "@countersign/agent-key";
import type { Fetch } from "@countersign/agent-key/platform-fetch";
import type { AuthorityError } from "../authority-error.js";
import type { AgentRegistrationRequest } from "../schema/agent-registration-request.js";
import type { RegistrationSigner } from "./registration-proof.js";

/** A human's credential for one call. */
export interface HumanProof {
  /** Secret. */
  readonly accessToken: string;
  /** `bearer`: sent as it is. `biscuit`: exchanged for a one-use biscuit, a new one for each attempt of the call. */
  readonly proof: "bearer" | "biscuit";
}

/** One call to the authority. */
export interface AuthorityRequest {
  readonly method: "GET" | "POST" | "DELETE";
  /** Path below the authority's base URL; begins with `/`. Ids in it are percent-encoded by the caller. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** Sent as JSON. */
  readonly body?: unknown;
  /** Proof of the human, where the call needs one. */
  readonly human?: HumanProof | undefined;
  /** Signs a registration with a body, with a new signature for each attempt. Absent: sent without a registration proof. */
  readonly signer?: RegistrationSigner | undefined;
  /**
   * Whether the call may be sent again after a temporary failure. Default true for `GET` and for calls with an `idempotency-key` header,
   * false for others.
   */
  readonly retry?: boolean | undefined;
}

/** An answer of the authority with a 2xx status. */
export interface AuthorityResponse {
  readonly status: number;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  /** Parsed JSON. */
  readonly body: unknown;
  /** Local clock (epoch ms) just before the request was sent and just after the answer's head was read. */
  readonly sentAt: number;
  readonly receivedAt: number;
}

/** How long a call may take, how often it may ask, and for which request it is made. */
export interface CallPatience {
  /** Time for the whole call with all its attempts, in milliseconds. Default: the client's. */
  readonly deadlineMs?: number | undefined;
  /** Upper bound of the call's attempts, from 1. Default: the client's. */
  readonly attempts?: number | undefined;
  /**
   * Milliseconds for which the client remembers that the authority is away: a call with this option failed with `timeout`, `unreachable`
   * or the status 502, 503 or 504; at least for its `Retry-After`, up to 60 seconds. Until then each call with this option rejects at once
   * with the same error. A 429 and any other 5xx are remembered for calls
   * of the same method, path and token alone. Then one of them asks, once and for a short time, and the others still reject at once. An answer
   * ends it. Attempts of one call after its second are at least as far apart. Default: each call asks for itself.
   */
  readonly outageMs?: number | undefined;
  /**
   * The id of the request that this call is made for, for the authority's log. Sent as `X-Request-Id` if a server takes it: 1 to 128 letters,
   * digits and `_.:~+/=@-`, and nothing that looks like a credential. Default none.
   */
  readonly requestId?: string | undefined;
}

/** Options of every call. */
export interface AuthorityCallOptions extends CallPatience {
  /** Ends the call; it then rejects with `cancelled`. */
  readonly signal?: AbortSignal | undefined;
  /** Called before this call is sent again after a failed attempt; the client's own `onRetry` is called first. */
  readonly onRetry?: ((retry: AuthorityRetry) => void) | undefined;
}

/** Options of `AuthorityClient.whoami`. */
export interface WhoamiOptions extends AuthorityCallOptions {
  /** An agent of the user, whose live tasks are wanted as well. Default none. */
  readonly agentRuntimeId?: string | undefined;
}

/** Sends calls to one authority, as `AuthorityClient` does. */
export interface AuthorityRequester {
  /** The authority's base URL, normalised. */
  readonly authority: string;
  /** Time for one call that says none itself, in milliseconds. */
  readonly deadlineMs: number;
  request(request: AuthorityRequest, options?: AuthorityCallOptions): Promise<AuthorityResponse>;
}

/** An attempt failed and another one follows. */
export interface AuthorityRetry {
  /** The attempt that failed, from 1. */
  readonly attempt: number;
  /** Milliseconds until the next one. */
  readonly delayMs: number;
  readonly error: AuthorityError;
}

/** Options of `AuthorityClient`. */
export interface AuthorityClientOptions {
  /** Base URL. */
  readonly authority: string;
  /**
   * What sends the requests, for instance by way of a private CA. It must not follow redirects. Default: the platform's `fetch`, which goes through
   * the proxies of the environment if Node was told to use them (`NODE_USE_ENV_PROXY=1`), but through none to an authority on loopback.
   */
  readonly fetch?: Fetch | undefined;
  /** Allow plain http to other machines. Default false. Turns off the protection of tokens on the way. */
  readonly insecureHttp?: boolean | undefined;
  /** Time for one call with all its attempts, in milliseconds. Default 30,000. */
  readonly deadlineMs?: number | undefined;
  /**
   * Upper bound of the attempts of one call, a whole number from 1. Default: none. A call whose connection fails, or that is answered with
   * 503, or with 429 and `Retry-After`, is then repeated until its deadline; after other temporary failures it makes at most 3 attempts
   * (protocol.md §10).
   */
  readonly attempts?: number | undefined;
  /** Clock, epoch ms. Default `Date.now`. */
  readonly now?: (() => number) | undefined;
  /** Called before a call is sent again after a failed attempt. */
  readonly onRetry?: ((retry: AuthorityRetry) => void) | undefined;
}

/** Rotates the key of an agent of the human that `accessToken` belongs to. */
export interface RotateKeyOptions {
  /** Secret. */
  readonly accessToken: string;
  readonly agentRuntimeId: string;
  /** The key that is replaced. */
  readonly current: AgentSigner;
  /** The key that takes over. */
  readonly next: AgentSigner;
  /** RFC 3339, UTC, whole seconds, `Z`, by the authority's clock as far as it is known. */
  readonly timestamp: string;
  /** The replaced key is in other hands and ends at once. Default false. */
  readonly compromised?: boolean | undefined;
}

/** An agent that ends itself or a task with its own key. */
export interface OwnEndOptions {
  readonly agentRuntimeId: string;
  /** The agent's key. */
  readonly key: AgentSigner;
}

/** Registers an agent for the human that `accessToken` belongs to. */
export interface RegisterAgentOptions extends HumanProof, AgentRegistrationRequest {
  /** The private half of `publicKey`: makes the registration proof. Absent: the registration is sent without. */
  readonly key?: AgentSigner | undefined;
}
