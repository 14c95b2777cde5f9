import type { TaskInfo } from "@countersign/agent-authority";
import {
  createEntryCommand,
  createListCommand,
  type RegistryKind,
} from "../../session/registry-commands.js";
import type { ListAgentsOptions } from "./authority-agents.js";

/** Options of `authority tasks list`. */
export interface ListTasksOptions extends ListAgentsOptions {
  readonly agent?: string;
}

const tasks: RegistryKind<TaskInfo> = {
  name: "task",
  unknown: "unknown_task",
  revokedFromAbove:
    "its agent is revoked, or that agent's user or account: countersign authority agents show ID",
  columns: ["task_id", "agent_runtime_id", "account_id", "user_id", "state", "created_at"],
};

/** `authority tasks list`. */
export const listTasks = createListCommand(
  tasks,
  (registry, { agent, account, user, state }: ListTasksOptions, { after, limit }) =>
    registry.listTasks({
      agentRuntimeId: agent,
      accountId: account,
      userId: user,
      state,
      after: after?.taskId,
      limit,
    }),
);

/** `authority tasks show ID`. */
export const showTask = createEntryCommand(tasks, (registry, id) => registry.getTask(id));

/** `authority tasks revoke ID`. */
export const revokeTask = createEntryCommand(tasks, (registry, id) => registry.revokeTask(id));

/** `authority tasks restore ID`. */
export const restoreTask = createEntryCommand(tasks, (registry, id) => registry.restoreTask(id));
