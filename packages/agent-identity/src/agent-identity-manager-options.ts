import { type AgentSigner, numberIn, type OptionShape } from "@countersign/agent-key";
import type { Fetch } from "@countersign/agent-key/platform-fetch";
import type { AuthSource } from "./auth.js";
import type { AuthorityClient } from "./client/authority-client.js";
import type { AuthorityRetry, CallPatience } from "./client/authority-request.js";
import type { CredentialStore } from "./credential-store.js";
import {
  AUTH_SOURCE,
  AUTHORITY_URL,
  CREDENTIAL_STORE,
  TRANSPORT_OPTIONS,
} from "./internal/options.js";
import type { AgentBillOfMaterials } from "./schema/agent-registration-request.js";

/** Options of `AgentIdentityManager`. */
export interface AgentIdentityManagerOptions {
  /** Base URL of the authority that every identity of this manager belongs to. */
  readonly authority: string;
  /** Who is at work. Its tokens must be this authority's: they are sent to it. */
  readonly auth: AuthSource;
  /** Keeps the keys. */
  readonly store: CredentialStore;
  /**
   * Keys that are kept elsewhere, for instance in an ssh-agent: no private key is then made, read or stored. The first one registers a new agent;
   * the others are keys of a rotation, found by their public halves. The store keeps the public key, and a random secret for idempotency keys if
   * the signer derives none. At least one. Default: the manager makes keys and stores them.
   */
  readonly signers?: readonly AgentSigner[] | undefined;
  /** The feature gate, asked at every call. Off: `ensure` and `peek` touch neither store nor network. Default: on. */
  readonly features?: { isEnabled(key: "use_agent_identity"): boolean } | undefined;
  /** What the agent says of itself. Default: this package, its version and the platform. */
  readonly abom?: AgentBillOfMaterials | undefined;
  /** Capabilities to ask for. Default none. */
  readonly capabilities?: readonly string[] | undefined;
  /** Lifetime to ask for, in seconds. Default: as the authority likes. */
  readonly ttlSeconds?: number | undefined;
  /** A client for the same authority. Default: one made from the options below. */
  readonly client?: AuthorityClient | undefined;
  /** What sends the requests of the default client. Default: as `AuthorityClient`. */
  readonly fetch?: Fetch | undefined;
  /** Allow plain http to other machines. Default false. */
  readonly insecureHttp?: boolean | undefined;
  /** Time for one registration with all its attempts, in milliseconds. Default: the client's, 30,000. */
  readonly deadlineMs?: number | undefined;
  /** Upper bound of the attempts of one call, a whole number from 1; for the default client. Default: none, the deadline bounds them. */
  readonly attempts?: number | undefined;
  /** Clock, epoch ms. Default `Date.now`. */
  readonly now?: (() => number) | undefined;
  /** Called by the default client before a call is sent again after a failed attempt. */
  readonly onRetry?: ((retry: AuthorityRetry) => void) | undefined;
}

/** What the options of `AgentIdentityManager` must be. */
export const MANAGER_OPTIONS: Readonly<Record<string, OptionShape>> = {
  authority: AUTHORITY_URL,
  auth: AUTH_SOURCE,
  store: CREDENTIAL_STORE,
  signers: { type: "list", expected: "a list of AgentSigners, at least one", optional: true },
  features: {
    type: "object",
    members: { isEnabled: "function" },
    expected: "an object with isEnabled(), or be left out, which means on",
    optional: true,
  },
  abom: { type: "object", expected: "an object", optional: true },
  capabilities: { type: "list", expected: "a list of texts", optional: true },
  ttlSeconds: numberIn(1, Number.MAX_SAFE_INTEGER),
  client: {
    type: "object",
    members: { authority: "string", request: "function", registerAgent: "function" },
    expected: "an AuthorityClient",
    optional: true,
  },
  ...TRANSPORT_OPTIONS,
};

/**
 * Options of the manager's calls. `deadlineMs`, `attempts`, `outageMs` and `requestId` are those of the caller that starts a registration; callers that
 * ask while it is on its way share it as it is.
 */
export interface EnsureIdentityOptions extends CallPatience {
  /** Ends this caller's waiting; it then rejects with the signal's reason. A registration that others wait for goes on. */
  readonly signal?: AbortSignal | undefined;
}

/** Options of `AgentIdentityManager.rotate`. */
export interface RotateIdentityOptions extends EnsureIdentityOptions {
  /** Somebody else has the current key: it ends at once, not with the first use of the new key. Default false. */
  readonly compromised?: boolean | undefined;
  /**
   * The key that takes over, if the manager has `signers`; required then, and refused otherwise. A rotation that was cut off is finished with the
   * key that it had chosen, which must then be among `signers`.
   */
  readonly next?: AgentSigner | undefined;
}

/** What an `AgentSigner` must have. */
export const AGENT_SIGNER: OptionShape = {
  type: "object",
  members: { publicKey: "object", sign: "function" },
  expected: "an AgentSigner: an object with publicKey (an AgentPublicKey) and sign()",
};
