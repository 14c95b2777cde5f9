import { isServerId } from "@countersign/agent-key";
import type { Rows } from "../store/authority-store.js";
import type { AgentRow } from "../store/database.js";
import { appendAuditEvent } from "./audit.js";
import type { AuditStamp } from "./audit-stamp.js";
import { Refusal } from "./refusal.js";

/**
 * Locks all claims to the key of an agent that has not proved it, before that agent itself. All transactions that are about to prove the key
 * lock the claims in the same order, because otherwise they could wait for each other until PostgreSQL ends one of them.
 */
export async function lockClaims(rows: Rows, agentRuntimeId: string): Promise<void> {
  if (!isServerId(agentRuntimeId)) return;
  await rows
    .selectFrom("agents")
    .select("agent_runtime_id")
    .where("public_key", "=", (eb) =>
      eb
        .selectFrom("agents")
        .select("public_key")
        .where("agent_runtime_id", "=", agentRuntimeId)
        .where("proven_at", "is", null),
    )
    .orderBy("agent_runtime_id")
    .forNoKeyUpdate()
    .execute();
}

/**
 * Makes a key its agent's own: from its first valid task registration or registration proof on, other users' claims to it are void
 * (protocol §5.4). Throws `invalid_key` when another agent has proved it.
 *
 * @param agent - whose key is not proven yet; read in this transaction
 */
export async function proveKey(rows: Rows, agent: AgentRow, stamp: AuditStamp): Promise<void> {
  const owner = await rows
    .selectFrom("agents")
    .select("agent_runtime_id")
    .where("public_key", "=", agent.public_key)
    .where("proven_at", "is not", null)
    .executeTakeFirst();
  if (owner !== undefined) {
    throw new Refusal("invalid_key", "this key belongs to another agent", {
      hint: "make a key of its own for each account and user",
    });
  }
  await rows
    .deleteFrom("agents")
    .where("public_key", "=", agent.public_key)
    .where("agent_runtime_id", "!=", agent.agent_runtime_id)
    .where("state", "=", "active")
    .execute();
  await rows
    .updateTable("agents")
    .set({ proven_at: stamp.text })
    .where("agent_runtime_id", "=", agent.agent_runtime_id)
    .execute();
  await appendAuditEvent(rows, stamp, "agent_proven", {
    account_id: agent.account_id,
    user_id: agent.user_id,
    agent_runtime_id: agent.agent_runtime_id,
  });
}
