import { isServerId } from "@countersign/agent-key";
import type { AgentQuery } from "../schema/admin-requests.js";
import type { AgentEntry, RevokedAgentEntry } from "../schema/registry-entries.js";
import type { AuthorityStore, Rows } from "../store/authority-store.js";
import type { AgentRow } from "../store/database.js";
import { prepareQuery } from "../store/prepared-query.js";
import { type AccountScope, isWithin } from "./account-scope.js";
import { appendAuditEvent } from "./audit.js";
import type { AuditStamp } from "./audit-stamp.js";
import { parseAbom } from "./bill-of-materials.js";
import { parseCapabilities } from "./capabilities.js";
import { countTasks, NOTHING_STOPPED } from "./count-stopped.js";
import { parseClaims } from "./kept-claims.js";
import { meets } from "./life-filter.js";
import { isLapsedClaim, lifeStateOf } from "./life-state.js";
import { type IdQuery, listEntries } from "./list-entries.js";
import { beforeUse, edgeOf } from "./matching-ids.js";
import type { Principal } from "./principal.js";
import type { Instant } from "./times.js";
import { withoutNulls } from "./without-nulls.js";

/** An agent with what ends it besides its own row. */
export interface FoundAgent extends AgentRow {
  readonly user_revoked_at: string | null;
  readonly account_revoked_at: string | null;
}

/** As it is shown: the last use is in a table of its own, which no registration reads. */
export interface ShownAgent extends FoundAgent {
  readonly used_at: string | null;
  readonly reported_by: string | null;
}

const AGENT_COLUMNS = [
  "agents.agent_runtime_id",
  "agents.account_id",
  "agents.user_id",
  "agents.public_key",
  "agents.x25519_public_key",
  "agents.capabilities",
  "agents.abom",
  "agents.claims",
  "agents.state",
  "agents.created_at",
  "agents.claimed_at",
  "agents.proven_at",
  "agents.expires_at",
  "agents.revoked_at",
  "agents.generation",
  "agents.former_keys_end_at",
  "agents.ephemeral",
  "agents.address",
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

/** Agents as they are shown. */
export function selectShownAgents(rows: Rows) {
  return selectAgents(rows)
    .leftJoin("agent_uses", "agent_uses.agent_runtime_id", "agents.agent_runtime_id")
    .select(["agent_uses.used_at", "agent_uses.reported_by"]);
}

export function listAgents(
  { rows }: AuthorityStore,
  query: AgentQuery,
  instant: Instant,
  scope: AccountScope,
): Promise<AgentEntry[]> {
  const { account_id, user_id } = query;
  return listEntries<ShownAgent, AgentEntry>(query, {
    filters: agentFilters(rows, query, scope),
    byIds: (ids) => selectShownAgents(rows).where("agents.agent_runtime_id", "in", ids).execute(),
    byId: (order, after, count) => {
      const seen = after ?? edgeOf(order);
      return selectShownAgents(rows)
        .where("agents.agent_runtime_id", order === "asc" ? ">" : "<", seen)
        .orderBy("agents.agent_runtime_id", order)
        .limit(count)
        .execute();
    },
    byUse: (after, count) =>
      rows
        .selectFrom("agent_uses")
        .select(["agent_runtime_id as id", "used_at"])
        .where(beforeUse("agent_runtime_id", after))
        .orderBy("used_at", "desc")
        .orderBy("agent_runtime_id", "desc")
        .limit(count)
        .execute(),
    idOf: (row) => row.agent_runtime_id,
    toEntry: (row) => {
      if (isLapsedClaim(row, instant) || !isWithin(scope, row.account_id)) return undefined;
      if (account_id !== undefined && row.account_id !== account_id) return undefined;
      if (user_id !== undefined && row.user_id !== user_id) return undefined;
      const agent = toAgentEntry(row, instant);
      return meets(agent, query) ? agent : undefined;
    },
  });
}

// Those that leave the fewest come first.
function agentFilters(rows: Rows, query: AgentQuery, scope: AccountScope): readonly IdQuery[] {
  const { address, used_since, created_since } = query;
  const principals = agentsOfPrincipals(rows, query, scope);
  const agents = () => rows.selectFrom("agents").select("agent_runtime_id as id");
  const filters: readonly (IdQuery | undefined)[] = [
    principals,
    address === undefined ? undefined : agents().where("address", "=", address),
    created_since === undefined ? undefined : agents().where("created_at", ">=", created_since),
    used_since === undefined
      ? undefined
      : rows
          .selectFrom("agent_uses")
          .select("agent_runtime_id as id")
          .where("used_at", ">=", used_since),
  ];
  return filters.filter((filter) => filter !== undefined);
}

/** Selects the ids of the agents of accounts and users; `undefined` if no account and no user is named. */
export function agentsOfPrincipals(
  rows: Rows,
  { account_id, user_id }: Pick<AgentQuery, "account_id" | "user_id">,
  scope: AccountScope,
) {
  if (account_id === undefined && user_id === undefined && scope === undefined) return undefined;
  let agents = rows.selectFrom("agents").select("agent_runtime_id as id");
  if (scope !== undefined) agents = agents.where("account_id", "in", scope);
  if (account_id !== undefined) agents = agents.where("account_id", "=", account_id);
  if (user_id === undefined) return agents;
  // The index begins with the account.
  const accounts = rows.selectFrom("users").select("account_id").where("user_id", "=", user_id);
  return agents.where("account_id", "in", accounts).where("user_id", "=", user_id);
}

export async function getAgent(
  rows: Rows,
  agentRuntimeId: string,
  instant: Instant,
  scope: AccountScope,
): Promise<AgentEntry | undefined> {
  if (!isServerId(agentRuntimeId)) return undefined;
  const row = await selectShownAgents(rows)
    .where("agents.agent_runtime_id", "=", agentRuntimeId)
    .executeTakeFirst();
  if (row === undefined || isLapsedClaim(row, instant)) return undefined;
  return isWithin(scope, row.account_id) ? toAgentEntry(row, instant) : undefined;
}

export async function revokeAgent(
  store: AuthorityStore,
  agentRuntimeId: string,
  stamp: AuditStamp,
  scope: AccountScope,
): Promise<RevokedAgentEntry | undefined> {
  const revoked = await store.transaction(async (rows) => {
    const row = await lockAgent(rows, agentRuntimeId, stamp);
    if (row === undefined || !isWithin(scope, row.account_id)) return undefined;
    const wasActive = lifeStateOf(row, stamp) === "active";
    await setAgentRevoked(rows, row, stamp);
    return { entry: toAgentEntry(row, stamp), wasActive };
  });
  if (revoked === undefined) return undefined;
  const { entry, wasActive } = revoked;
  if (!wasActive) return { ...entry, stopped: NOTHING_STOPPED };
  const tasks = await countTasks(store.rows, [agentRuntimeId], stamp);
  return { ...entry, stopped: { ...NOTHING_STOPPED, agents: 1, tasks } };
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

/**
 * Returns whether an agent that is not there was ended by its user before it had proved its key. Only its event is left of it, so this is
 * known for the user that it belonged to, and for no other.
 */
export async function wasGivenUp(
  rows: Rows,
  agentRuntimeId: string,
  { accountId, userId }: Pick<Principal, "accountId" | "userId">,
): Promise<boolean> {
  if (!isServerId(agentRuntimeId)) return false;
  const event = await rows
    .selectFrom("audit_events")
    .select("sequence")
    .where("agent_runtime_id", "=", agentRuntimeId)
    .where("action", "=", "agent_revoked")
    .where("account_id", "=", accountId)
    .where("user_id", "=", userId)
    .limit(1)
    .executeTakeFirst();
  return event !== undefined;
}

/** Restores an agent. Only an operator can restore a revoked key (protocol §5.4), and no limit applies. */
export function restoreAgent(
  store: AuthorityStore,
  agentRuntimeId: string,
  stamp: AuditStamp,
  scope: AccountScope,
): Promise<AgentEntry | undefined> {
  return store.transaction(async (rows) => {
    const row = await lockAgent(rows, agentRuntimeId, stamp);
    if (row === undefined || !isWithin(scope, row.account_id)) return undefined;
    if (row.revoked_at !== null) {
      // An unproven claim gets another day, because otherwise it could have lapsed already when it is restored.
      const change = { state: "active", revoked_at: null, claimed_at: stamp.text } as const;
      await changeAgent(rows, row, change, "agent_restored", stamp);
    }
    return toAgentEntry(row, stamp);
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

/** What is shown of an agent at an instant. */
export function toAgentEntry(
  row: FoundAgent & Partial<Pick<ShownAgent, "used_at" | "reported_by">>,
  instant: Instant,
): AgentEntry {
  return withoutNulls({
    agent_runtime_id: row.agent_runtime_id,
    account_id: row.account_id,
    user_id: row.user_id,
    agent_public_key: row.public_key,
    capabilities: [...parseCapabilities(row.capabilities)],
    state: lifeStateOf(row, instant),
    proven: row.proven_at !== null,
    ephemeral: row.ephemeral === 1 ? true : null,
    created_at: row.created_at,
    address: row.address,
    ...parseAbom(row.abom),
    claims: parseClaims(row.claims),
    expires_at: row.expires_at,
    revoked_at: row.revoked_at,
    last_used_at: row.used_at ?? null,
    last_used_reported_by: row.reported_by ?? null,
  });
}
