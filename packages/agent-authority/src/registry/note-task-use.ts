import type { AuthorityStore } from "../store/authority-store.js";
import { prepareQuery } from "../store/prepared-query.js";
import { writeLate } from "./late-writes.js";
import { endAfterUse, type TaskEnds } from "./task-end.js";
import type { Instant } from "./times.js";

const PAUSE_MS = 60_000;

interface Use {
  readonly taskId: string;
  /** When the task was looked at. */
  readonly at: string;
  readonly end: string;
}

export const moveEnd = prepareQuery((rows, use: Use) =>
  rows
    .updateTable("tasks")
    .set({ expires_at: use.end })
    .where("task_id", "=", use.taskId)
    .where("revoked_at", "is", null)
    .where("expires_at", ">", use.at)
    .where("expires_at", "<", use.end),
);

/**
 * Notes that a task was looked at for an assertion of it, and returns the task with the end that it then has.
 *
 * The end is written after the answer, for several tasks together. Until then the answers of this process tell it.
 */
export function noteTaskUse<Task extends TaskEnds & { readonly task_id: string }>(
  store: AuthorityStore,
  task: Task,
  instant: Instant,
): Task {
  const end = endAfterUse(task, instant);
  if (end === undefined) return task;
  const use = { taskId: task.task_id, at: instant.text, end };
  writeLate(
    store,
    { name: `task:${task.task_id}`, write: (rows) => moveEnd(rows, use), pauseMs: PAUSE_MS },
    instant.epochMs,
  );
  return { ...task, expires_at: end };
}
