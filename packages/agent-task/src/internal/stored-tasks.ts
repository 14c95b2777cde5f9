import type { AgentIdentity } from "@countersign/agent-identity";
import { formatTimestamp } from "@countersign/agent-key";
import type { AgentTask, TaskScope } from "../agent-task.js";
import type { StoredTask, StoredThread } from "../schema/stored-thread.js";

// Pure functions between a stored thread and the tasks of one agent.

/** The task that a stored thread has for this agent, with the agent's key. */
export function findTask(
  thread: StoredThread | undefined,
  identity: AgentIdentity,
  scope: TaskScope,
): AgentTask | undefined {
  const stored = thread?.tasks.findLast((task) => belongsTo(task, identity));
  if (stored === undefined) return undefined;
  return {
    authority: identity.authority,
    agentRuntimeId: identity.agentRuntimeId,
    taskId: stored.task_id,
    key: identity.key,
    scope,
    registeredAt: stored.registered_at,
    expiresAt: stored.expires_at === undefined ? undefined : Date.parse(stored.expires_at),
  };
}

/** The thread with this task as the one of its agent, and its label if it has one; other agents' tasks and unknown members stay. */
export function withTask(
  thread: StoredThread | undefined,
  scope: string,
  task: AgentTask,
  label?: string,
): StoredThread {
  const { expiresAt } = task;
  const stored: StoredTask = {
    authority: task.authority,
    agent_runtime_id: task.agentRuntimeId,
    task_id: task.taskId,
    ...(expiresAt === undefined ? {} : { expires_at: formatTimestamp(expiresAt) }),
    registered_at: task.registeredAt,
  };
  const rest = (thread?.tasks ?? []).filter((other) => !belongsTo(other, task));
  return {
    ...thread,
    version: 1,
    scope,
    ...(label === undefined ? {} : { thread_label: label }),
    tasks: [...rest, stored],
  };
}

/** The thread without this one task; `undefined`: it did not hold it. */
export function withoutTask(
  thread: StoredThread | undefined,
  task: AgentTask,
): StoredThread | undefined {
  if (thread === undefined) return undefined;
  const rest = thread.tasks.filter(
    (other) => !(belongsTo(other, task) && other.task_id === task.taskId),
  );
  return rest.length === thread.tasks.length ? undefined : { ...thread, tasks: rest };
}

function belongsTo(
  stored: StoredTask,
  agent: { readonly authority: string; readonly agentRuntimeId: string },
): boolean {
  return stored.authority === agent.authority && stored.agent_runtime_id === agent.agentRuntimeId;
}
