import { hash } from "node:crypto";
import { uuidv7 } from "uuidv7";
import type { Rows } from "../store/authority-store.js";
import type { TaskRow } from "../store/database.js";
import { prepareQuery } from "../store/prepared-query.js";
import { appendAuditEvent } from "./audit.js";
import type { AuditStamp } from "./audit-stamp.js";
import { lifeStateOf } from "./life-state.js";
import type { LimitUse } from "./limit-use.js";
import type { LiveLimitsOf } from "./live-limits.js";
import { moveEnd } from "./note-task-use.js";
import type { FoundAgent } from "./operate-agents.js";
import { proveKey } from "./prove-key.js";
import { Refusal } from "./refusal.js";
import { endAfterUse, firstEnds, type TaskLifetimes } from "./task-end.js";
import type { Instant } from "./times.js";

interface Sought {
  readonly agentRuntimeId: string;
  readonly idempotencyHash: string | null;
  readonly at: string;
}

const lookForTasks = prepareQuery((rows, value: Sought) =>
  rows.selectNoFrom((eb) => [
    eb
      .selectFrom("tasks")
      .select((of) => of.fn.countAll<number | string>().as("live"))
      .where("agent_runtime_id", "=", value.agentRuntimeId)
      .where("state", "=", "active")
      .where((of) => of.or([of("expires_at", "is", null), of("expires_at", ">", value.at)]))
      .as("live"),
    eb
      .selectFrom("tasks")
      .select("task_id")
      .where("agent_runtime_id", "=", value.agentRuntimeId)
      .where("idempotency_hash", "=", value.idempotencyHash)
      .as("earlierId"),
  ]),
);

const insertTask = prepareQuery((rows, value: TaskRow) =>
  rows.insertInto("tasks").values({
    task_id: value.task_id,
    agent_runtime_id: value.agent_runtime_id,
    idempotency_hash: value.idempotency_hash,
    state: value.state,
    created_at: value.created_at,
    expires_at: value.expires_at,
    revoked_at: value.revoked_at,
    idle_seconds: value.idle_seconds,
    ttl_ends_at: value.ttl_ends_at,
    address: value.address,
    thread_label: value.thread_label,
  }),
);

/** What the operator allows tasks. */
export interface TaskPolicy extends TaskLifetimes {
  readonly limitsOf: LiveLimitsOf;
}

/** What a task is asked for with. */
export interface TaskWish {
  readonly idempotencyKey: string | undefined;
  readonly threadLabel: string | undefined;
}

/** A task that was registered, and how much of its agent's limit that used if it is a new one. */
export interface RegisteredTask {
  readonly task: TaskRow;
  readonly use: LimitUse | undefined;
}

/**
 * Registers a task of an agent whose signature was checked, or gives the live one that it got for the same Idempotency-Key (protocol §5.5), with
 * the label that it has (T-15).
 *
 * Throws `agent_revoked` or `agent_expired`; `task_limit` when the agent has too many live tasks.
 *
 * @param agent - locked in this transaction
 */
export async function registerTask(
  rows: Rows,
  agent: FoundAgent,
  { idempotencyKey, threadLabel }: TaskWish,
  policy: TaskPolicy,
  stamp: AuditStamp,
): Promise<RegisteredTask> {
  checkLiveAgent(agent, stamp);
  const idempotencyHash =
    idempotencyKey === undefined ? null : hash("sha256", idempotencyKey, "hex");
  const { live, earlier } = await findTasks(rows, agent, idempotencyHash, stamp);
  if (earlier && lifeStateOf(earlier, stamp) === "active") {
    return { task: await useTask(rows, earlier, stamp), use: undefined };
  }
  const { maxLiveTasks } = policy.limitsOf({ accountId: agent.account_id, userId: agent.user_id });
  checkLimit(live, maxLiveTasks);
  if (earlier) await releaseKey(rows, earlier);
  if (agent.proven_at === null) await proveKey(rows, agent, stamp);
  const task: TaskRow = {
    task_id: `task_${uuidv7()}`,
    agent_runtime_id: agent.agent_runtime_id,
    idempotency_hash: idempotencyHash,
    state: "active",
    created_at: stamp.text,
    revoked_at: null,
    address: stamp.origin.address ?? null,
    thread_label: threadLabel ?? null,
    ...firstEnds(policy, stamp),
  };
  await insertTask(rows, task);
  await appendAuditEvent(rows, stamp, "task_registered", {
    ...subjectOf(agent),
    task_id: task.task_id,
  });
  return { task, use: { of: "tasks", used: live + 1, limit: maxLiveTasks } };
}

/** Throws `agent_revoked` or `agent_expired`. */
export function checkLiveAgent(agent: FoundAgent, instant: Instant): void {
  const state = lifeStateOf(agent, instant);
  if (state === "revoked") {
    throw new Refusal("agent_revoked", "the agent was revoked", {
      hint: "its operator decides; it gets no more tasks",
    });
  }
  if (state === "expired") {
    throw new Refusal("agent_expired", "the agent's life has ended", {
      hint: "register the same key again under fresh human auth",
    });
  }
}

/** How many live tasks an agent has, and the task that it got for an Idempotency-Key: one look, since both are asked for each time. */
async function findTasks(
  rows: Rows,
  agent: FoundAgent,
  idempotencyHash: string | null,
  instant: Instant,
): Promise<{ readonly live: number; readonly earlier: TaskRow | undefined }> {
  const [found] = await lookForTasks(rows, {
    agentRuntimeId: agent.agent_runtime_id,
    idempotencyHash,
    at: instant.text,
  });
  if (found === undefined) throw new TypeError("a count gave no row");
  const { live, earlierId } = found;
  // PostgreSQL's counts are text.
  return { live: Number(live), earlier: earlierId ? await readTask(rows, earlierId) : undefined };
}

function readTask(rows: Rows, taskId: string): Promise<TaskRow> {
  return rows
    .selectFrom("tasks")
    .selectAll()
    .where("task_id", "=", taskId)
    .executeTakeFirstOrThrow();
}

function checkLimit(live: number, maxLiveTasks: number): void {
  if (live >= maxLiveTasks) {
    throw new Refusal("task_limit", `this agent has ${maxLiveTasks} live tasks already`, {
      hint: "ask the operator to revoke those that are not used, to let them end (task_idle_ttl), or to raise the limit",
    });
  }
}

// Its agent asks for it once more, which is a use.
async function useTask(rows: Rows, task: TaskRow, instant: Instant): Promise<TaskRow> {
  const end = endAfterUse(task, instant);
  if (end === undefined) return task;
  await moveEnd(rows, { taskId: task.task_id, at: instant.text, end });
  return { ...task, expires_at: end };
}

// The task it answered for has ended: the key is free for the next one.
async function releaseKey(rows: Rows, task: TaskRow): Promise<void> {
  await rows
    .updateTable("tasks")
    .set({ idempotency_hash: null })
    .where("task_id", "=", task.task_id)
    .execute();
}

function subjectOf(agent: FoundAgent) {
  return {
    account_id: agent.account_id,
    user_id: agent.user_id,
    agent_runtime_id: agent.agent_runtime_id,
  };
}
