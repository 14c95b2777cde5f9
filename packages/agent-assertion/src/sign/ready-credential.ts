import type { AgentCredential, Credential, SyncAgentSigner } from "@countersign/agent-key";

/** A credential that needs no wait: a human's token, or that of an agent whose signer signs at once. */
export type ReadyCredential =
  | AgentCredential<SyncAgentSigner>
  | Exclude<Credential, AgentCredential>;
