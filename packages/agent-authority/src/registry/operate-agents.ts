import { isServerId } from "@countersign/agent-key";
import type { AgentQuery } from "../schema/admin-requests.js";
import type { AgentEntry } from "../schema/registry-entries.js";
import type { AuthorityStore, Rows } from "../store/authority-store.js";
import type { AgentRow } from "../store/database.js";
import { prepareQuery } from "../store/prepared-query.js";
import { appendAuditEvent } from "./audit.js";
import type { AuditStamp } from "./audit-stamp.js";
import { parseCapabilities } from "./capabilities.js";
import { isLapsedClaim, lifeStateOf } from "./life-state.js";
import { listPage } from "./list-page.js";
import type { Instant } from "./times.js";
import { withoutNulls } from "./without-nulls.js";

/** An agent with what ends it besides its own row. */
export interface FoundAgent extends AgentRow {
  readonly user_revoked_at: string | null;
  readonly account_revoked_at: string | null;
}

const AGENT_COLUMNS = [
  "agents.agent_runtime_id",
  "agents.account_id",
  "agents.user_id",
  "agents.public_key",
  "agents.x25519_public_key",
  "agents.capabilities",
  "agents.abom",
  "agents.state",
  "agents.created_at",
  "agents.claimed_at",
  "agents.proven_at",
  "agents.expires_at",
  "agents.revoked_at",
  "agents.generation",
  "agents.former_keys_end_at",
] as const;

const selectAgent = prepareQuery((rows, value: { agentRuntimeId: string }) =>
  selectAgents(rows).where("agent_runtime_id", "=", value.agentRuntimeId),
);
const selectAgentForUpdate = prepareQuery((rows, value: { agentRuntimeId: string }) =>
  selectAgents(rows)
    .where("agent_runtime_id", "=", value.agentRuntimeId)
    .forNoKeyUpdate(["agents"]),
);

/** An agent; `undefined` also for a claim that lapsed unproven. */
export async function findAgent(
  rows: Rows,
  agentRuntimeId: string,
  instant: Instant,
): Promise<FoundAgent | undefined> {
  // Anything may stand in a path; PostgreSQL takes no text with a NUL.
  if (!isServerId(agentRuntimeId)) return undefined;
  const [row] = await selectAgent(rows, { agentRuntimeId });
  return row === undefined || isLapsedClaim(row, instant) ? undefined : row;
}

/** As {@link findAgent}, and keeps others from changing it, or from adding to it, until the transaction ends. */
export async function lockAgent(
  rows: Rows,
  agentRuntimeId: string,
  instant: Instant,
): Promise<FoundAgent | undefined> {
  // Anything may stand in a path; PostgreSQL takes no text with a NUL.
  if (!isServerId(agentRuntimeId)) return undefined;
  const [row] = await selectAgentForUpdate(rows, { agentRuntimeId });
  return row === undefined || isLapsedClaim(row, instant) ? undefined : row;
}

/** Agents with the state of their users and accounts. */
function selectAgents(rows: Rows) {
  return rows
    .selectFrom("agents")
    .leftJoin("accounts", "accounts.account_id", "agents.account_id")
    .leftJoin("users", (join) =>
      join
        .onRef("users.account_id", "=", "agents.account_id")
        .onRef("users.user_id", "=", "agents.user_id"),
    )
    .select(AGENT_COLUMNS)
    .select(["users.revoked_at as user_revoked_at", "accounts.revoked_at as account_revoked_at"]);
}

export function listAgents(
  { rows }: AuthorityStore,
  { account_id, user_id, state, after, limit }: AgentQuery,
  instant: Instant,
): Promise<AgentEntry[]> {
  return listPage<FoundAgent, AgentEntry>(limit, {
    read: (last, count) => {
      const seen = last?.agent_runtime_id ?? after;
      let query = selectAgents(rows);
      if (account_id !== undefined) query = query.where("agents.account_id", "=", account_id);
      if (user_id !== undefined) query = query.where("agents.user_id", "=", user_id);
      if (seen !== undefined) query = query.where("agent_runtime_id", ">", seen);
      return query.orderBy("agent_runtime_id").limit(count).execute();
    },
    toEntry: (row) => {
      if (isLapsedClaim(row, instant)) return undefined;
      const agent = toEntry(row, instant);
      return state === undefined || agent.state === state ? agent : undefined;
    },
  });
}

export async function getAgent(
  rows: Rows,
  agentRuntimeId: string,
  instant: Instant,
): Promise<AgentEntry | undefined> {
  const row = await findAgent(rows, agentRuntimeId, instant);
  return row && toEntry(row, instant);
}

export function revokeAgent(
  store: AuthorityStore,
  agentRuntimeId: string,
  stamp: AuditStamp,
): Promise<AgentEntry | undefined> {
  return store.transaction(async (rows) => {
    const row = await lockAgent(rows, agentRuntimeId, stamp);
    if (row === undefined) return undefined;
    await setAgentRevoked(rows, row, stamp);
    return toEntry(row, stamp);
  });
}

/** Ends an agent that is locked, unless it was revoked before. */
export async function setAgentRevoked(
  rows: Rows,
  row: FoundAgent,
  stamp: AuditStamp,
): Promise<void> {
  if (row.revoked_at !== null) return;
  const change = { state: "revoked", revoked_at: stamp.text } as const;
  await changeAgent(rows, row, change, "agent_revoked", stamp);
}

/**
 * Ends an agent at the request of its own human. An agent with an unproven key is only a claim to that key, so it is deleted: as a revoked
 * agent it would bar the key to its real holder.
 *
 * @param row - locked in this transaction
 */
export async function endOwnAgent(rows: Rows, row: FoundAgent, stamp: AuditStamp): Promise<void> {
  if (row.proven_at !== null || row.revoked_at !== null) {
    await setAgentRevoked(rows, row, stamp);
    return;
  }
  const { account_id, user_id, agent_runtime_id } = row;
  await rows.deleteFrom("agents").where("agent_runtime_id", "=", agent_runtime_id).execute();
  await appendAuditEvent(rows, stamp, "agent_revoked", {
    account_id,
    user_id,
    agent_runtime_id,
  });
}

/** Restores an agent. Only an operator can restore a revoked key (protocol §5.4), and no limit applies. */
export function restoreAgent(
  store: AuthorityStore,
  agentRuntimeId: string,
  stamp: AuditStamp,
): Promise<AgentEntry | undefined> {
  return store.transaction(async (rows) => {
    const row = await lockAgent(rows, agentRuntimeId, stamp);
    if (row === undefined) return undefined;
    if (row.revoked_at !== null) {
      // An unproven claim gets another day, because otherwise it could have lapsed already when it is restored.
      const change = { state: "active", revoked_at: null, claimed_at: stamp.text } as const;
      await changeAgent(rows, row, change, "agent_restored", stamp);
    }
    return toEntry(row, stamp);
  });
}

async function changeAgent(
  rows: Rows,
  row: FoundAgent,
  change: Partial<AgentRow>,
  action: "agent_revoked" | "agent_restored",
  stamp: AuditStamp,
): Promise<void> {
  Object.assign(row, change);
  await rows
    .updateTable("agents")
    .set(change)
    .where("agent_runtime_id", "=", row.agent_runtime_id)
    .execute();
  await appendAuditEvent(rows, stamp, action, {
    account_id: row.account_id,
    user_id: row.user_id,
    agent_runtime_id: row.agent_runtime_id,
  });
}

function toEntry(row: FoundAgent, instant: Instant): AgentEntry {
  return withoutNulls({
    agent_runtime_id: row.agent_runtime_id,
    account_id: row.account_id,
    user_id: row.user_id,
    agent_public_key: row.public_key,
    capabilities: [...parseCapabilities(row.capabilities)],
    state: lifeStateOf(row, instant),
    proven: row.proven_at !== null,
    created_at: row.created_at,
    expires_at: row.expires_at,
    revoked_at: row.revoked_at,
  });
}
