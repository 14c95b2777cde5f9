import type { TaskInfo } from "@countersign/agent-authority";
import { type LifeListOptions, lifeFilterOf } from "../../session/list-filter.js";
import {
  createEntryCommand,
  createListCommand,
  type RegistryKind,
} from "../../session/registry-commands.js";

/** Options of `authority tasks list`. */
export interface ListTasksOptions extends LifeListOptions {
  readonly agent?: string;
}

const tasks: RegistryKind<TaskInfo> = {
  name: "task",
  unknown: "unknown_task",
  revokedFromAbove:
    "its agent is revoked, or that agent's user or account: countersign authority agents show ID",
  columns: [
    "task_id",
    "agent_runtime_id",
    "account_id",
    "user_id",
    "state",
    "created_at",
    "last_used_at",
    "thread_label",
  ],
};

/** `authority tasks list`. */
export const listTasks = createListCommand(
  tasks,
  (registry, options: ListTasksOptions, { after, limit, nowMs }) => {
    const last = after && { ...after, id: after.taskId };
    const filter = lifeFilterOf(options, last, nowMs);
    return registry.listTasks({ ...filter, agentRuntimeId: options.agent, limit });
  },
);

/** `authority tasks show ID`. */
export const showTask = createEntryCommand(tasks, (registry, id) => registry.getTask(id));

/** `authority tasks revoke ID`. */
export const revokeTask = createEntryCommand(tasks, (registry, id, reason) =>
  registry.revokeTask(id, reason),
);

/** `authority tasks restore ID`. */
export const restoreTask = createEntryCommand(tasks, (registry, id, reason) =>
  registry.restoreTask(id, reason),
);
