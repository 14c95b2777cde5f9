import type { TaskRow } from "../store/database.js";
import { endOfLife, type Instant } from "./times.js";

/** What decides when a task ends. */
export type TaskEnds = Pick<TaskRow, "expires_at" | "revoked_at" | "idle_seconds" | "ttl_ends_at">;

/** The lifetimes that the operator gives tasks. */
export interface TaskLifetimes {
  readonly taskTtlSeconds: number | undefined;
  readonly taskIdleTtlSeconds: number | undefined;
}

/** The ends of a task that is registered now. */
export function firstEnds(
  { taskTtlSeconds, taskIdleTtlSeconds }: TaskLifetimes,
  instant: Instant,
): Pick<TaskRow, "expires_at" | "idle_seconds" | "ttl_ends_at"> {
  const ttlEnd = taskTtlSeconds === undefined ? null : endOfLife(instant, taskTtlSeconds);
  if (taskIdleTtlSeconds === undefined) {
    return { expires_at: ttlEnd, idle_seconds: null, ttl_ends_at: null };
  }
  return {
    expires_at: endIfUsed(taskIdleTtlSeconds, ttlEnd, instant),
    idle_seconds: taskIdleTtlSeconds,
    ttl_ends_at: ttlEnd,
  };
}

/**
 * Returns the end that a live task has after a use, if that is to be written; `undefined` if its end stays.
 *
 * The end is written once for each tenth of the idle time, and then that tenth later than it has to be: a task never ends before it was
 * unused for the idle time, and at the latest a tenth of it after that.
 */
export function endAfterUse(task: TaskEnds, instant: Instant): string | undefined {
  const { expires_at, revoked_at, idle_seconds, ttl_ends_at } = task;
  if (idle_seconds === null || expires_at === null || revoked_at !== null) return undefined;
  if (expires_at <= instant.text) return undefined;
  const end = endIfUsed(idle_seconds, ttl_ends_at, instant);
  if (end <= expires_at) return undefined;
  const isDue = expires_at <= endOfLife(instant, idle_seconds) || end === ttl_ends_at;
  return isDue ? end : undefined;
}

/**
 * The end that a client is told: the one that no use moves, `null` if there is none. A client registers another task before the end that it
 * is told, and so would not keep a task that it uses.
 */
export function fixedEndOf(task: TaskEnds): string | null {
  return task.idle_seconds === null ? task.expires_at : task.ttl_ends_at;
}

function endIfUsed(idleSeconds: number, ttlEnd: string | null, instant: Instant): string {
  const end = endOfLife(instant, idleSeconds + Math.ceil(idleSeconds / 10));
  return ttlEnd !== null && ttlEnd < end ? ttlEnd : end;
}
