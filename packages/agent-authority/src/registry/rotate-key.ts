import type { VerifiedKeyRotation } from "@countersign/agent-identity/server";
import { type AgentPublicKey, encodeBase64 } from "@countersign/agent-key";
import { toX25519PublicKey } from "@countersign/agent-task/server";
import type { Rows } from "../store/authority-store.js";
import type { AgentRow } from "../store/database.js";
import { endFormerKeys } from "./agent-keys.js";
import { appendAuditEvent } from "./audit.js";
import type { AuditStamp } from "./audit-stamp.js";
import { checkFormerKey, revokedKey, usedKey } from "./former-key.js";
import type { FoundAgent } from "./operate-agents.js";
import { proveKey } from "./prove-key.js";
import { Refusal } from "./refusal.js";
import { endOfLife } from "./times.js";

/** How long a replaced key is taken at most, unless the new one is used before (protocol §5.6). */
const OVERLAP_SECONDS = 86_400;

/** A rotation whose signatures were checked. */
export interface CheckedRotation
  extends Pick<VerifiedKeyRotation, "formerPublicKey" | "newPublicKey" | "isRepetition"> {
  readonly compromised: boolean;
}

/**
 * Gives an agent a new key. The one that it replaces is taken until the new one is first used, at most 24 hours, and not at all when it is
 * compromised; keys before that one end at once, since this one was used to sign. A repetition changes nothing, unless it says `compromised`
 * where the first did not.
 *
 * Throws `invalid_key` when another agent has or had the new key; `agent_revoked` when that agent was revoked.
 *
 * @param agent - live, locked in this transaction
 * @returns when the replaced key ends, RFC 3339; `undefined` where it has ended
 */
export async function rotateKey(
  rows: Rows,
  agent: FoundAgent,
  rotation: CheckedRotation,
  stamp: AuditStamp,
): Promise<string | undefined> {
  if (rotation.isRepetition) return repeat(rows, agent, rotation, stamp);
  const { newPublicKey, compromised } = rotation;
  if (agent.generation === "B") throw ofIdentityJwt();
  await checkHolders(rows, newPublicKey);
  // Its signature is the proof of the key that it replaces.
  if (agent.proven_at === null) await proveKey(rows, agent, stamp);
  await endFormerKeys(rows, agent, stamp);
  const endsAt = compromised ? stamp.text : endOfLife(stamp, OVERLAP_SECONDS);
  await rows
    .insertInto("former_keys")
    .values({
      public_key: agent.public_key,
      agent_runtime_id: agent.agent_runtime_id,
      x25519_public_key: agent.x25519_public_key,
      replaced_at: stamp.text,
      ends_at: endsAt,
    })
    .execute();
  // Others' claims to the new key are void: this agent has proved it.
  await rows
    .deleteFrom("agents")
    .where("public_key", "=", newPublicKey.line)
    .where("proven_at", "is", null)
    .execute();
  await rows
    .updateTable("agents")
    .set({
      public_key: newPublicKey.line,
      x25519_public_key: encodeBase64(toX25519PublicKey(newPublicKey)),
      former_keys_end_at: compromised ? null : endsAt,
    })
    .where("agent_runtime_id", "=", agent.agent_runtime_id)
    .execute();
  await appendAuditEvent(rows, stamp, "agent_key_rotated", subjectOf(agent));
  return compromised ? undefined : endsAt;
}

async function repeat(
  rows: Rows,
  agent: FoundAgent,
  { compromised }: CheckedRotation,
  stamp: AuditStamp,
): Promise<string | undefined> {
  const endsAt = agent.former_keys_end_at;
  if (endsAt === null || endsAt <= stamp.text) return undefined;
  if (!compromised) return endsAt;
  await endFormerKeys(rows, agent, stamp);
  return undefined;
}

async function checkHolders(rows: Rows, key: AgentPublicKey): Promise<void> {
  const holders = await rows
    .selectFrom("agents")
    .select(["state", "proven_at"])
    .where("public_key", "=", key.line)
    .forNoKeyUpdate()
    .execute();
  if (holders.some(({ state }) => state === "revoked")) throw revokedKey();
  if (holders.some(({ proven_at }) => proven_at !== null)) throw usedKey();
  await checkFormerKey(rows, key);
}

function ofIdentityJwt(): Refusal {
  return new Refusal("forbidden", "this agent's key travels in an identity JWT", {
    hint: "its operator issues another one, and revokes this agent",
  });
}

function subjectOf(agent: AgentRow) {
  return {
    account_id: agent.account_id,
    user_id: agent.user_id,
    agent_runtime_id: agent.agent_runtime_id,
  };
}
