import type { AgentPublicKey } from "@countersign/agent-key";
import type { Rows } from "../store/authority-store.js";
import { Refusal } from "./refusal.js";

/** Refuses a key that an agent had before a rotation: it is never registered again. Throws `agent_revoked` or `invalid_key`. */
export async function checkFormerKey(rows: Rows, key: AgentPublicKey): Promise<void> {
  const former = await rows
    .selectFrom("former_keys")
    .innerJoin("agents", "agents.agent_runtime_id", "former_keys.agent_runtime_id")
    .select("agents.state")
    .where("former_keys.public_key", "=", key.line)
    .executeTakeFirst();
  if (former?.state === "revoked") throw revokedKey();
  if (former !== undefined) throw usedKey();
}

/** Why the key of a revoked agent is refused. */
export function revokedKey(): Refusal {
  return new Refusal("agent_revoked", "the agent with this key was revoked", {
    hint: "its operator decides; a revoked key is never registered again",
  });
}

/** Why the key of another agent is refused, also one that it had before. */
export function usedKey(): Refusal {
  return new Refusal("invalid_key", "this key belongs, or belonged, to an agent", {
    hint: "make a new key",
  });
}
