import type { AgentSigner } from "./agent-signer.js";
import type { Code } from "./code-rows.js";

/**
 * Signs requests: this agent, in this task, registered with this authority.
 *
 * @typeParam Signer - what holds the key. Functions that sign at once take a `SyncAgentSigner` alone.
 */
export interface AgentCredential<Signer extends AgentSigner = AgentSigner> {
  readonly kind: "agent";
  /** The authority that made the ids, normalised as `parseAuthority` does. */
  readonly authority: string;
  readonly agentRuntimeId: string;
  readonly taskId: string;
  readonly key: Signer;
  /** Seconds to add to the local clock so that it agrees with the authority's. Absent: 0. */
  readonly clockOffsetSeconds?: number | undefined;
  /** The id of the thread that the task is for, for spans. It is sent nowhere. Absent: none, or not known. */
  readonly threadId?: string | undefined;
}

/** The human's own token, for the origins that it may go to: while the feature is off, or in a declared fallback. */
export interface BearerCredential {
  readonly kind: "bearer";
  /** The authority that the token belongs to. */
  readonly authority: string;
  /** Secret. */
  readonly accessToken: string;
  readonly reason: "feature_off" | "fallback";
  /** The only origins that the token may go to. */
  readonly origins: readonly string[];
  /** With `fallback`: the registration's error. A request to any other origin rejects with it. */
  readonly error?: Error | undefined;
}

/** The feature is off, and no origin may get the human's token: the request is sent as its caller made it. */
export interface NoCredential {
  readonly kind: "none";
  readonly reason: "feature_off";
}

/** What one request is authorised with. */
export type Credential = AgentCredential | BearerCredential | NoCredential;

/** A resource server's 401 to a request that carried a credential. */
export interface CredentialRefusal {
  /** The code of its problem+json or `WWW-Authenticate`; absent from a foreign server. */
  readonly code: Code | undefined;
  /** The origin that refused. */
  readonly origin: string;
}

/** Options of {@link CredentialSource} calls. */
export interface CredentialOptions {
  readonly signal?: AbortSignal | undefined;
  /** Milliseconds, from 0, that the caller waits for a new credential. Default: the source's. */
  readonly deadlineMs?: number | undefined;
  /**
   * Milliseconds, from 0, for which all sources of the same authority remember that it is away: until then calls with this option that need it
   * reject at once. A source that gets no credentials from elsewhere ignores it. Default: each call tries for itself.
   */
  readonly outageMs?: number | undefined;
  /**
   * The id of the request that the credential is for. A source that registers something for it sends the id to its authority, so that both logs
   * name one id. Default none.
   */
  readonly requestId?: string | undefined;
}

/**
 * Gives a transport the credential for a request. The transport reports back whether the server accepted it. `agent-task` implements this
 * interface for a thread; the transports of `agent-assertion` need nothing else.
 *
 * @see docs/protocol.md §10 for what happens on a refusal
 */
export interface CredentialSource {
  /**
   * The credential to use now. Fast when nothing changed. Rejects if there must be one and there is none: such a request is not sent.
   * Only with the feature off may it be `NoCredential`.
   */
  credential(options?: CredentialOptions): Promise<Credential>;
  /**
   * Takes the refusal of a credential.
   *
   * @returns another credential, with which the request may be sent once more; `undefined`: hand the refusal up
   */
  refused(
    credential: Credential,
    refusal: CredentialRefusal,
    options?: CredentialOptions,
  ): Promise<Credential | undefined>;
  /** Called when an origin answered a request with this credential, with any status other than 401. */
  accepted(credential: Credential, origin: string): void;
}
