import type { AgentIdentity } from "@countersign/agent-identity";
import type { AgentKey } from "@countersign/agent-key";

/** Tells whether two identities are one agent with one key, made for one user in one account. */
export function isSameAgent(a: AgentIdentity, b: AgentIdentity): boolean {
  return a.accountId === b.accountId && a.userId === b.userId && isSameSigner(a, b);
}

/**
 * Tells whether two parties sign as one agent with one key. The authority and the key count as well as the id: two authorities may issue
 * equal ids.
 */
export function isSameSigner(a: Signer, b: Signer): boolean {
  return (
    a.authority === b.authority &&
    a.agentRuntimeId === b.agentRuntimeId &&
    a.key.publicKey.equals(b.key.publicKey)
  );
}

/** Tells whether two parties are one agent of one authority, whichever of its keys they sign with. */
export function isSameAgentId(a: Signer, b: Signer): boolean {
  return a.authority === b.authority && a.agentRuntimeId === b.agentRuntimeId;
}

/** Whoever signs as an agent. */
export interface Signer {
  readonly authority: string;
  readonly agentRuntimeId: string;
  readonly key: AgentKey;
}
