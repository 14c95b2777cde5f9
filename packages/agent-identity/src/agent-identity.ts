import type { AgentSigner } from "@countersign/agent-key";

/**
 * A registered agent: one key, made for one user in one account of one authority, and used with no other.
 *
 * @typeParam Signer - what holds the key
 */
export interface AgentIdentity<Signer extends AgentSigner = AgentSigner> {
  /** Normalised as `parseAuthority` does. */
  readonly authority: string;
  readonly accountId: string;
  readonly userId: string;
  /** The authority's id of this agent. */
  readonly agentRuntimeId: string;
  /** An `AgentKey`, unless the agent's key is kept elsewhere. */
  readonly key: Signer;
  /** RFC 3339, UTC, whole seconds. `1970-01-01T00:00:00Z` where the store did not say. */
  readonly registeredAt: string;
}
