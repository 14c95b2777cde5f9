import { formatTimestamp } from "@countersign/agent-key";
import type { RegisteredTask } from "../schema/task-answer.js";
import { sealTaskId } from "./seal-task-id.js";

/** The answer to a task registration, as this project's authority gives it. */
export interface TaskRegistrationResponse {
  readonly encrypted_task_id: string;
  readonly expires_at?: string;
}

/**
 * Makes the answer to a task registration: `encrypted_task_id` alone, which every generation of clients reads, and `expires_at` where
 * the task has an end.
 *
 * @param x25519PublicKey - of the key that signed the registration
 * @throws what `sealTaskId` throws
 * @see docs/protocol.md §5.5
 */
export function createTaskRegistrationResponse(
  task: RegisteredTask,
  x25519PublicKey: Uint8Array,
): TaskRegistrationResponse {
  const encryptedTaskId = sealTaskId(task.taskId, x25519PublicKey);
  return task.expiresAt === undefined
    ? { encrypted_task_id: encryptedTaskId }
    : { encrypted_task_id: encryptedTaskId, expires_at: formatTimestamp(task.expiresAt) };
}

/** The answer to a plain task registration. */
export interface PlainTaskRegistrationResponse {
  readonly task_id: string;
  readonly expires_at?: string;
}

/**
 * Makes the answer to a plain task registration: `task_id` in clear, and `expires_at` where the task has an end.
 *
 * @see docs/protocol.md T-11
 */
export function createPlainTaskRegistrationResponse(
  task: RegisteredTask,
): PlainTaskRegistrationResponse {
  return task.expiresAt === undefined
    ? { task_id: task.taskId }
    : { task_id: task.taskId, expires_at: formatTimestamp(task.expiresAt) };
}
