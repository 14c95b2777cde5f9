import { isServerId } from "@countersign/agent-key";
import type { TaskQuery } from "../schema/admin-requests.js";
import type { TaskEntry } from "../schema/registry-entries.js";
import type { AuthorityStore, Rows } from "../store/authority-store.js";
import type { TaskRow } from "../store/database.js";
import { appendAuditEvent } from "./audit.js";
import type { AuditStamp } from "./audit-stamp.js";
import { lifeStateOf } from "./life-state.js";
import { listPage } from "./list-page.js";
import type { Instant } from "./times.js";
import { withoutNulls } from "./without-nulls.js";

interface TaskWithAgent extends TaskRow {
  account_id: string;
  user_id: string;
  agent_expires_at: string | null;
  agent_revoked_at: string | null;
  user_revoked_at: string | null;
  account_revoked_at: string | null;
}

// Sorting so many by their ids takes a few milliseconds. Beyond it, tasks of an account are picked from all in the order of their ids.
const SORTED_AT_MOST = 10_000;

export async function listTasks(
  { rows }: AuthorityStore,
  query: TaskQuery,
  instant: Instant,
): Promise<TaskEntry[]> {
  const { agent_runtime_id, account_id, user_id, state, after, limit } = query;
  const isSorted = agent_runtime_id !== undefined || (await hasFewTasks(rows, query));
  return listPage<TaskWithAgent, TaskEntry>(limit, {
    read: (last, count) => {
      const seen = last?.task_id ?? after;
      let select = selectTasks(rows);
      if (agent_runtime_id !== undefined) {
        select = select.where("tasks.agent_runtime_id", "=", agent_runtime_id);
      }
      if (isSorted && account_id !== undefined) {
        select = select.where("agents.account_id", "=", account_id);
      }
      if (isSorted && user_id !== undefined) select = select.where("agents.user_id", "=", user_id);
      if (seen !== undefined) select = select.where("task_id", ">", seen);
      return select.orderBy("task_id").limit(count).execute();
    },
    toEntry: (row) => {
      if (account_id !== undefined && row.account_id !== account_id) return undefined;
      if (user_id !== undefined && row.user_id !== user_id) return undefined;
      const task = toEntry(row, instant);
      return state === undefined || task.state === state ? task : undefined;
    },
  });
}

async function hasFewTasks(
  rows: Rows,
  { account_id, user_id }: Pick<TaskQuery, "account_id" | "user_id">,
): Promise<boolean> {
  if (account_id === undefined && user_id === undefined) return false;
  let agents = rows.selectFrom("agents").select("agent_runtime_id");
  if (account_id !== undefined) agents = agents.where("account_id", "=", account_id);
  if (user_id !== undefined) agents = agents.where("user_id", "=", user_id);
  const { count } = await rows
    .selectFrom(
      rows
        .selectFrom("tasks")
        .select("task_id")
        .where("agent_runtime_id", "in", agents)
        .limit(SORTED_AT_MOST + 1)
        .as("some"),
    )
    .select((eb) => eb.fn.countAll<number | string>().as("count"))
    .executeTakeFirstOrThrow();
  return Number(count) <= SORTED_AT_MOST;
}

export async function getTask(
  rows: Rows,
  taskId: string,
  instant: Instant,
): Promise<TaskEntry | undefined> {
  if (!isServerId(taskId)) return undefined;
  const row = await selectTasks(rows).where("task_id", "=", taskId).executeTakeFirst();
  return row && toEntry(row, instant);
}

export function revokeTask(
  store: AuthorityStore,
  taskId: string,
  stamp: AuditStamp,
): Promise<TaskEntry | undefined> {
  return store.transaction(async (rows) => {
    const row = await lockTask(rows, taskId);
    if (row === undefined) return undefined;
    if (row.revoked_at === null) {
      const change = { state: "revoked", revoked_at: stamp.text } as const;
      await changeTask(rows, row, change, "task_revoked", stamp);
    }
    return toEntry(row, stamp);
  });
}

export function restoreTask(
  store: AuthorityStore,
  taskId: string,
  stamp: AuditStamp,
): Promise<TaskEntry | undefined> {
  return store.transaction(async (rows) => {
    const row = await lockTask(rows, taskId);
    if (row === undefined) return undefined;
    if (row.revoked_at !== null) {
      const change = { state: "active", revoked_at: null } as const;
      await changeTask(rows, row, change, "task_restored", stamp);
    }
    return toEntry(row, stamp);
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
      "agents.revoked_at as agent_revoked_at",
      "users.revoked_at as user_revoked_at",
      "accounts.revoked_at as account_revoked_at",
    ]);
}

function toEntry(row: TaskWithAgent, instant: Instant): TaskEntry {
  const { revoked_at, expires_at, user_revoked_at, account_revoked_at } = row;
  const own = lifeStateOf({ revoked_at, expires_at }, instant);
  const ofAgent = lifeStateOf(
    {
      revoked_at: row.agent_revoked_at,
      expires_at: row.agent_expires_at,
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
    expires_at: row.expires_at,
    revoked_at: row.revoked_at,
  });
}
