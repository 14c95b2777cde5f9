import { AgentPublicKey } from "@countersign/agent-key";
import type { Rows } from "../store/authority-store.js";
import type { AgentRow } from "../store/database.js";
import { appendAuditEvent } from "./audit.js";
import type { AuditStamp } from "./audit-stamp.js";
import { Refusal } from "./refusal.js";
import type { Instant } from "./times.js";

/** A key that an agent has or had. */
export interface AgentKeyEntry {
  readonly publicKey: AgentPublicKey;
  /** Base64 of the X25519 key that task ids for its holder are sealed to. */
  readonly x25519PublicKey: string;
}

/** The keys of an agent that are valid at an instant, the newest first: one, or more while one is rotated (protocol §5.6). */
export async function findAgentKeys(
  rows: Rows,
  agent: AgentRow,
  instant: Instant,
): Promise<readonly [AgentKeyEntry, ...AgentKeyEntry[]]> {
  const newest = toEntry(agent);
  // The agent's own row says whether it has former keys, so that an agent that never rotated its key costs no second query.
  if (agent.former_keys_end_at === null || agent.former_keys_end_at <= instant.text) {
    return [newest];
  }
  const former = await rows
    .selectFrom("former_keys")
    .selectAll()
    .where("agent_runtime_id", "=", agent.agent_runtime_id)
    .where("ends_at", ">", instant.text)
    .orderBy("replaced_at", "desc")
    .execute();
  return [newest, ...former.map(toEntry)];
}

/** The keys of an agent that have ended. */
export async function findEndedKeys(
  rows: Rows,
  agent: AgentRow,
  instant: Instant,
): Promise<readonly AgentPublicKey[]> {
  const ended = await rows
    .selectFrom("former_keys")
    .select("public_key")
    .where("agent_runtime_id", "=", agent.agent_runtime_id)
    .where("ends_at", "<=", instant.text)
    .execute();
  return ended.map(({ public_key }) => AgentPublicKey.parse(public_key));
}

/**
 * Notes that a key has signed: the first use of the newest one ends those before it (protocol §5.6).
 *
 * Throws `bad_signature` when the key has ended since its signature was checked.
 *
 * @param agent - locked in this transaction
 */
export async function useKey(
  rows: Rows,
  agent: AgentRow,
  publicKey: AgentPublicKey,
  stamp: AuditStamp,
): Promise<AgentKeyEntry> {
  const [newest, ...former] = await findAgentKeys(rows, agent, stamp);
  if (newest.publicKey.equals(publicKey)) {
    await endFormerKeys(rows, agent, stamp);
    return newest;
  }
  const used = former.find((key) => key.publicKey.equals(publicKey));
  if (used === undefined) throw new Refusal("bad_signature", "the key that signed has ended");
  return used;
}

/** Ends the keys that an agent had before its newest. Changes nothing where they have ended. */
export async function endFormerKeys(rows: Rows, agent: AgentRow, stamp: AuditStamp): Promise<void> {
  const endsAt = agent.former_keys_end_at;
  if (endsAt === null) return;
  await rows
    .updateTable("former_keys")
    .set({ ends_at: stamp.text })
    .where("agent_runtime_id", "=", agent.agent_runtime_id)
    .where("ends_at", ">", stamp.text)
    .execute();
  await rows
    .updateTable("agents")
    .set({ former_keys_end_at: null })
    .where("agent_runtime_id", "=", agent.agent_runtime_id)
    .execute();
  agent.former_keys_end_at = null;
  if (endsAt <= stamp.text) return;
  await appendAuditEvent(rows, stamp, "agent_former_key_ended", {
    account_id: agent.account_id,
    user_id: agent.user_id,
    agent_runtime_id: agent.agent_runtime_id,
  });
}

function toEntry(row: {
  readonly public_key: string;
  readonly x25519_public_key: string;
}): AgentKeyEntry {
  return {
    publicKey: AgentPublicKey.parse(row.public_key),
    x25519PublicKey: row.x25519_public_key,
  };
}
