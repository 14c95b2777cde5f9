import type { AgentIdentity } from "@countersign/agent-identity";
import type { AgentSigner } from "@countersign/agent-key";

/** Returns whether two identities are the same agent with the same key, for the same user in the same account. */
export function isSameAgent(a: AgentIdentity, b: AgentIdentity): boolean {
  return a.accountId === b.accountId && a.userId === b.userId && isSameSigner(a, b);
}

/**
 * Returns whether two parties sign as the same agent with the same key. The authority and the key count as well as the id, because two
 * authorities may issue equal ids.
 */
export function isSameSigner(a: Signer, b: Signer): boolean {
  return (
    a.authority === b.authority &&
    a.agentRuntimeId === b.agentRuntimeId &&
    a.key.publicKey.equals(b.key.publicKey)
  );
}

/** Returns whether two parties are the same agent of the same authority. Their keys may differ. */
export function isSameAgentId(a: Signer, b: Signer): boolean {
  return a.authority === b.authority && a.agentRuntimeId === b.agentRuntimeId;
}

/** The agent and key that a party signs with. */
export interface Signer {
  readonly authority: string;
  readonly agentRuntimeId: string;
  readonly key: AgentSigner;
}
