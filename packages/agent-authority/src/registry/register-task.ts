import { hash } from "node:crypto";
import { uuidv7 } from "uuidv7";
import type { Rows } from "../store/authority-store.js";
import type { TaskRow } from "../store/database.js";
import { appendAuditEvent } from "./audit.js";
import { lifeStateOf } from "./life-state.js";
import type { Occasion } from "./occasion.js";
import type { FoundAgent } from "./operate-agents.js";
import { proveKey } from "./prove-key.js";
import { Refusal } from "./refusal.js";
import { endOfLife, type Instant } from "./times.js";

/** What the operator allows tasks. */
export interface TaskPolicy {
  readonly taskTtlSeconds: number | undefined;
  readonly maxLiveTasks: number;
}

/**
 * Registers a task of an agent whose signature was checked, or gives the live one that it got for the same Idempotency-Key (protocol §5).
 *
 * Throws `agent_revoked` or `agent_expired`; `forbidden` when the agent has too many live tasks.
 *
 * @param agent - locked in this transaction
 */
export async function registerTask(
  rows: Rows,
  agent: FoundAgent,
  idempotencyKey: string | undefined,
  policy: TaskPolicy,
  occasion: Occasion,
): Promise<TaskRow> {
  checkLiveAgent(agent, occasion);
  const idempotencyHash =
    idempotencyKey === undefined ? null : hash("sha256", idempotencyKey, "hex");
  const earlier = idempotencyHash && (await findTask(rows, agent, idempotencyHash));
  if (earlier && lifeStateOf(earlier, occasion) === "active") return earlier;
  await checkLimit(rows, agent, policy.maxLiveTasks, occasion);
  if (earlier) await releaseKey(rows, earlier);
  if (agent.proven_at === null) await proveKey(rows, agent, occasion);
  const task: TaskRow = {
    task_id: `task_${uuidv7()}`,
    agent_runtime_id: agent.agent_runtime_id,
    idempotency_hash: idempotencyHash,
    state: "active",
    created_at: occasion.text,
    expires_at:
      policy.taskTtlSeconds === undefined ? null : endOfLife(occasion, policy.taskTtlSeconds),
    revoked_at: null,
  };
  await rows.insertInto("tasks").values(task).execute();
  await appendAuditEvent(rows, occasion, "task_registered", {
    ...subjectOf(agent),
    task_id: task.task_id,
  });
  return task;
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

function findTask(
  rows: Rows,
  agent: FoundAgent,
  idempotencyHash: string,
): Promise<TaskRow | undefined> {
  return rows
    .selectFrom("tasks")
    .selectAll()
    .where("agent_runtime_id", "=", agent.agent_runtime_id)
    .where("idempotency_hash", "=", idempotencyHash)
    .executeTakeFirst();
}

async function checkLimit(
  rows: Rows,
  agent: FoundAgent,
  maxLiveTasks: number,
  instant: Instant,
): Promise<void> {
  const { count } = await rows
    .selectFrom("tasks")
    .select((eb) => eb.fn.countAll<number | string>().as("count"))
    .where("agent_runtime_id", "=", agent.agent_runtime_id)
    .where("state", "=", "active")
    .where((eb) => eb.or([eb("expires_at", "is", null), eb("expires_at", ">", instant.text)]))
    .executeTakeFirstOrThrow();
  if (Number(count) >= maxLiveTasks) {
    throw new Refusal("forbidden", `this agent has ${maxLiveTasks} live tasks already`, {
      hint: "ask the operator to revoke those that are not used",
    });
  }
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
