import { isServerId } from "@countersign/agent-key";
import type { TaskQuery } from "../schema/admin-requests.js";
import type { RevokedTaskEntry, TaskEntry } from "../schema/registry-entries.js";
import type { AuthorityStore, Rows } from "../store/authority-store.js";
import type { AgentRow, TaskRow } from "../store/database.js";
import { type AccountScope, isWithin } from "./account-scope.js";
import { appendAuditEvent } from "./audit.js";
import type { AuditStamp } from "./audit-stamp.js";
import { NOTHING_STOPPED } from "./count-stopped.js";
import { meets } from "./life-filter.js";
import { lifeStateOf } from "./life-state.js";
import { type IdQuery, listEntries } from "./list-entries.js";
import { beforeUse, edgeOf } from "./matching-ids.js";
import { agentsOfPrincipals } from "./operate-agents.js";
import type { Instant } from "./times.js";
import { withoutNulls } from "./without-nulls.js";

interface TaskWithAgent extends TaskRow {
  account_id: string;
  user_id: string;
  agent_expires_at: string | null;
  agent_ephemeral: number;
  agent_revoked_at: string | null;
  user_revoked_at: string | null;
  account_revoked_at: string | null;
}

/** As it is shown, with its last use. */
export interface ShownTask extends TaskWithAgent {
  first_used_at: string | null;
  used_at: string | null;
  reported_by: string | null;
}

export function listTasks(
  { rows }: AuthorityStore,
  query: TaskQuery,
  instant: Instant,
  scope: AccountScope,
): Promise<TaskEntry[]> {
  const { agent_runtime_id, account_id, user_id } = query;
  return listEntries<ShownTask, TaskEntry>(query, {
    filters: taskFilters(rows, query, scope),
    byIds: (ids) => selectShownTasks(rows).where("tasks.task_id", "in", ids).execute(),
    byId: (order, after, count) => {
      const seen = after ?? edgeOf(order);
      return selectShownTasks(rows)
        .where("tasks.task_id", order === "asc" ? ">" : "<", seen)
        .orderBy("tasks.task_id", order)
        .limit(count)
        .execute();
    },
    byUse: (after, count) =>
      rows
        .selectFrom("task_uses")
        .select(["task_id as id", "used_at"])
        .where(beforeUse("task_id", after))
        .orderBy("used_at", "desc")
        .orderBy("task_id", "desc")
        .limit(count)
        .execute(),
    idOf: (row) => row.task_id,
    toEntry: (row) => {
      if (!isWithin(scope, row.account_id)) return undefined;
      if (agent_runtime_id !== undefined && row.agent_runtime_id !== agent_runtime_id) {
        return undefined;
      }
      if (account_id !== undefined && row.account_id !== account_id) return undefined;
      if (user_id !== undefined && row.user_id !== user_id) return undefined;
      const task = toTaskEntry(row, instant);
      return meets(task, query) ? task : undefined;
    },
  });
}

// Those that leave the fewest come first.
function taskFilters(rows: Rows, query: TaskQuery, scope: AccountScope): readonly IdQuery[] {
  const { agent_runtime_id, address, used_since, created_since } = query;
  const agents = agentsOfPrincipals(rows, query, scope);
  const tasks = () => rows.selectFrom("tasks").select("task_id as id");
  const filters: readonly (IdQuery | undefined)[] = [
    agent_runtime_id === undefined
      ? undefined
      : tasks().where("agent_runtime_id", "=", agent_runtime_id),
    agents === undefined ? undefined : tasks().where("agent_runtime_id", "in", agents),
    address === undefined ? undefined : tasks().where("address", "=", address),
    created_since === undefined ? undefined : tasks().where("created_at", ">=", created_since),
    used_since === undefined
      ? undefined
      : rows.selectFrom("task_uses").select("task_id as id").where("used_at", ">=", used_since),
  ];
  return filters.filter((filter) => filter !== undefined);
}

export async function getTask(
  rows: Rows,
  taskId: string,
  instant: Instant,
  scope: AccountScope,
): Promise<TaskEntry | undefined> {
  if (!isServerId(taskId)) return undefined;
  const row = await selectShownTasks(rows).where("tasks.task_id", "=", taskId).executeTakeFirst();
  return row && isWithin(scope, row.account_id) ? toTaskEntry(row, instant) : undefined;
}

export function revokeTask(
  store: AuthorityStore,
  taskId: string,
  stamp: AuditStamp,
  scope: AccountScope,
): Promise<RevokedTaskEntry | undefined> {
  return store.transaction(async (rows) => {
    const row = await lockTask(rows, taskId);
    if (row === undefined || !isWithin(scope, row.account_id)) return undefined;
    const tasks = toTaskEntry(row, stamp).state === "active" ? 1 : 0;
    if (row.revoked_at === null) {
      const change = { state: "revoked", revoked_at: stamp.text } as const;
      await changeTask(rows, row, change, "task_revoked", stamp);
    }
    return { ...toTaskEntry(row, stamp), stopped: { ...NOTHING_STOPPED, tasks } };
  });
}

/**
 * Ends a task at the request of its own agent, unless it was revoked before.
 *
 * @param agent - locked in this transaction
 * @returns whether the agent has such a task
 */
export async function endOwnTask(
  rows: Rows,
  agent: Pick<AgentRow, "agent_runtime_id">,
  taskId: string,
  stamp: AuditStamp,
): Promise<boolean> {
  const row = await lockTask(rows, taskId);
  if (row?.agent_runtime_id !== agent.agent_runtime_id) return false;
  if (row.revoked_at === null) {
    const change = { state: "revoked", revoked_at: stamp.text } as const;
    await changeTask(rows, row, change, "task_revoked", stamp);
  }
  return true;
}

export function restoreTask(
  store: AuthorityStore,
  taskId: string,
  stamp: AuditStamp,
  scope: AccountScope,
): Promise<TaskEntry | undefined> {
  return store.transaction(async (rows) => {
    const row = await lockTask(rows, taskId);
    if (row === undefined || !isWithin(scope, row.account_id)) return undefined;
    if (row.revoked_at !== null) {
      const change = { state: "active", revoked_at: null } as const;
      await changeTask(rows, row, change, "task_restored", stamp);
    }
    return toTaskEntry(row, stamp);
  });
}

async function lockTask(rows: Rows, taskId: string): Promise<TaskWithAgent | undefined> {
  if (!isServerId(taskId)) return undefined;
  return selectTasks(rows)
    .where("task_id", "=", taskId)
    .forNoKeyUpdate(["tasks"])
    .executeTakeFirst();
}

async function changeTask(
  rows: Rows,
  row: TaskWithAgent,
  change: Partial<TaskRow>,
  action: "task_revoked" | "task_restored",
  stamp: AuditStamp,
): Promise<void> {
  Object.assign(row, change);
  await rows.updateTable("tasks").set(change).where("task_id", "=", row.task_id).execute();
  await appendAuditEvent(rows, stamp, action, {
    account_id: row.account_id,
    user_id: row.user_id,
    agent_runtime_id: row.agent_runtime_id,
    task_id: row.task_id,
  });
}

function selectTasks(rows: Rows) {
  return rows
    .selectFrom("tasks")
    .innerJoin("agents", "agents.agent_runtime_id", "tasks.agent_runtime_id")
    .leftJoin("accounts", "accounts.account_id", "agents.account_id")
    .leftJoin("users", (join) =>
      join
        .onRef("users.account_id", "=", "agents.account_id")
        .onRef("users.user_id", "=", "agents.user_id"),
    )
    .selectAll("tasks")
    .select([
      "agents.account_id",
      "agents.user_id",
      "agents.expires_at as agent_expires_at",
      "agents.ephemeral as agent_ephemeral",
      "agents.revoked_at as agent_revoked_at",
      "users.revoked_at as user_revoked_at",
      "accounts.revoked_at as account_revoked_at",
    ]);
}

/** Tasks as they are shown. */
export function selectShownTasks(rows: Rows) {
  return selectTasks(rows)
    .leftJoin("task_uses", "task_uses.task_id", "tasks.task_id")
    .select(["task_uses.first_used_at", "task_uses.used_at", "task_uses.reported_by"]);
}

/** What is shown of a task at an instant. */
export function toTaskEntry(
  row: TaskWithAgent & Partial<Pick<ShownTask, "first_used_at" | "used_at" | "reported_by">>,
  instant: Instant,
): TaskEntry {
  const { revoked_at, expires_at, user_revoked_at, account_revoked_at } = row;
  const own = lifeStateOf({ revoked_at, expires_at }, instant);
  const ofAgent = lifeStateOf(
    {
      revoked_at: row.agent_revoked_at,
      expires_at: row.agent_expires_at,
      ephemeral: row.agent_ephemeral,
      user_revoked_at,
      account_revoked_at,
    },
    instant,
  );
  return withoutNulls({
    task_id: row.task_id,
    agent_runtime_id: row.agent_runtime_id,
    account_id: row.account_id,
    user_id: row.user_id,
    state: own === "active" ? ofAgent : own,
    created_at: row.created_at,
    address: row.address,
    thread_label: row.thread_label,
    expires_at: row.expires_at,
    revoked_at: row.revoked_at,
    first_used_at: row.first_used_at ?? null,
    last_used_at: row.used_at ?? null,
    last_used_reported_by: row.reported_by ?? null,
  });
}
