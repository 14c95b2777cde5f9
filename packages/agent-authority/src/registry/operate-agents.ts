import type { AuthorityStore, Rows } from "../store/authority-store.js";
import type { AgentRow } from "../store/database.js";
import { appendAuditEvent } from "./audit.js";
import { parseCapabilities } from "./capabilities.js";
import { isLapsedClaim, lifeStateOf } from "./life-state.js";
import type { AgentFilter, AgentInfo } from "./registry-types.js";
import type { Instant } from "./times.js";

/** An agent with what ends it besides its own row. */
export interface FoundAgent extends AgentRow {
  readonly user_revoked_at: string | null;
  readonly account_revoked_at: string | null;
}

/** An agent; `undefined` also for a claim that lapsed unproven. */
export async function findAgent(
  rows: Rows,
  agentRuntimeId: string,
  instant: Instant,
): Promise<FoundAgent | undefined> {
  const row = await selectAgents(rows)
    .where("agent_runtime_id", "=", agentRuntimeId)
    .executeTakeFirst();
  return row === undefined || isLapsedClaim(row, instant) ? undefined : row;
}

/** As {@link findAgent}, and keeps others from changing it, or from adding to it, until the transaction ends. */
export async function lockAgent(
  rows: Rows,
  agentRuntimeId: string,
  instant: Instant,
): Promise<FoundAgent | undefined> {
  const row = await selectAgents(rows)
    .where("agent_runtime_id", "=", agentRuntimeId)
    .forNoKeyUpdate(["agents"])
    .executeTakeFirst();
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
    .selectAll("agents")
    .select(["users.revoked_at as user_revoked_at", "accounts.revoked_at as account_revoked_at"]);
}

export async function listAgents(
  store: AuthorityStore,
  filter: AgentFilter,
  instant: Instant,
): Promise<AgentInfo[]> {
  let query = selectAgents(store.rows);
  if (filter.accountId !== undefined) {
    query = query.where("agents.account_id", "=", filter.accountId);
  }
  if (filter.userId !== undefined) query = query.where("agents.user_id", "=", filter.userId);
  const found = await query.orderBy("agents.created_at").orderBy("agent_runtime_id").execute();
  return found
    .filter((row) => !isLapsedClaim(row, instant))
    .map((row) => toAgentInfo(row, instant));
}

export async function getAgent(
  rows: Rows,
  agentRuntimeId: string,
  instant: Instant,
): Promise<AgentInfo | undefined> {
  const row = await findAgent(rows, agentRuntimeId, instant);
  return row && toAgentInfo(row, instant);
}

export function revokeAgent(
  store: AuthorityStore,
  agentRuntimeId: string,
  instant: Instant,
): Promise<AgentInfo | undefined> {
  return store.transaction(async (rows) => {
    const row = await lockAgent(rows, agentRuntimeId, instant);
    if (row === undefined) return undefined;
    if (row.revoked_at === null) {
      const change = { state: "revoked", revoked_at: instant.text } as const;
      Object.assign(row, change);
      await rows
        .updateTable("agents")
        .set(change)
        .where("agent_runtime_id", "=", agentRuntimeId)
        .execute();
      await appendAuditEvent(rows, instant, "agent_revoked", {
        account_id: row.account_id,
        user_id: row.user_id,
        agent_runtime_id: agentRuntimeId,
      });
    }
    return toAgentInfo(row, instant);
  });
}

function toAgentInfo(row: FoundAgent, instant: Instant): AgentInfo {
  return {
    agentRuntimeId: row.agent_runtime_id,
    accountId: row.account_id,
    userId: row.user_id,
    publicKey: row.public_key,
    capabilities: parseCapabilities(row.capabilities),
    state: lifeStateOf(row, instant),
    proven: row.proven_at !== null,
    createdAt: row.created_at,
    expiresAt: row.expires_at ?? undefined,
    revokedAt: row.revoked_at ?? undefined,
  };
}
