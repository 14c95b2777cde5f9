import type { Dispatcher } from "undici";
import type { AuthSource } from "./auth.js";
import type { AuthorityClient } from "./client/authority-client.js";
import type { CredentialStore } from "./credential-store.js";
import type { AgentBillOfMaterials } from "./schema/agent-registration.js";

/** Options of `AgentIdentityManager`. */
export interface AgentIdentityManagerOptions {
  /** Base URL of the authority that every identity of this manager belongs to. */
  readonly authority: string;
  /** Who is at work. Its tokens must be this authority's: they are sent to it. */
  readonly auth: AuthSource;
  /** Keeps the keys. */
  readonly store: CredentialStore;
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
  /** undici dispatcher for the default client. */
  readonly dispatcher?: Dispatcher | undefined;
  /** Allow plain http to other machines. Default false. */
  readonly insecureHttp?: boolean | undefined;
  /** Time for one registration with all its attempts, in milliseconds. Default: the client's, 30,000. */
  readonly deadlineMs?: number | undefined;
  /** Clock, epoch ms. Default `Date.now`. */
  readonly now?: (() => number) | undefined;
}

/** Options of the manager's calls. */
export interface EnsureIdentityOptions {
  /** Ends this caller's waiting; it then rejects with `cancelled`. A registration that others wait for goes on. */
  readonly signal?: AbortSignal | undefined;
}

/** Options of `AgentIdentityManager.rotate`. */
export interface RotateIdentityOptions extends EnsureIdentityOptions {
  /** The key of now is in other hands: it ends at once, not with the first use of the new one. Default false. */
  readonly compromised?: boolean | undefined;
}
