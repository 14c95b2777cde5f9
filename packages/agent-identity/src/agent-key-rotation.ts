import type { AgentIdentity } from "./agent-identity.js";

/** What a key rotation came to. */
export interface AgentKeyRotation {
  /** The agent with its new key. */
  readonly identity: AgentIdentity;
  /** When the key before it ends at the latest, epoch milliseconds: earlier with the first use of the new one. `null`: it has ended. */
  readonly formerKeyEndsAt: number | null;
}
