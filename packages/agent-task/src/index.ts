export type { AgentTask, TaskScope } from "./agent-task.js";
export { RUN } from "./agent-task.js";
export { AgentTaskError } from "./agent-task-error.js";
export type { AgentTaskManagerOptions } from "./agent-task-manager.js";
export { AgentTaskManager } from "./agent-task-manager.js";
export type {
  AgentThread,
  FailurePolicy,
  OpenThreadOptions,
  ThreadOptions,
  Turn,
} from "./agent-thread.js";
export { createIdempotencyKey } from "./idempotency-key.js";
export type { StoredTask, StoredThread } from "./schema/stored-thread.js";
export { parseStoredThread } from "./schema/stored-thread.js";
export type { PlainTaskRegistration } from "./sign/sign-plain-task-registration.js";
export {
  plainTaskRegistrationText,
  signPlainTaskRegistration,
  signPlainTaskRegistrationAsync,
} from "./sign/sign-plain-task-registration.js";
export type { TaskRegistration } from "./sign/sign-task-registration.js";
export {
  signTaskRegistration,
  signTaskRegistrationAsync,
  taskRegistrationText,
} from "./sign/sign-task-registration.js";
export type { FileTaskStoreOptions } from "./store/file-task-store.js";
export { fileTaskStore } from "./store/file-task-store.js";
export { memoryTaskStore } from "./store/memory-task-store.js";
export type { CompleteTaskStore, TaskLockOptions, TaskStore } from "./store/task-store.js";
export type {
  AgentTaskEvents,
  DiscardedEvent,
  FailedEvent,
  FallbackEvent,
  RegisteredEvent,
  RegisteringEvent,
  RetryingEvent,
  TaskEvent,
  TaskOfAgentEvent,
  WaitingEvent,
} from "./task-events.js";
export { TASK_CHANNEL } from "./task-events.js";
export type { TaskRegistrationErrorOptions } from "./task-registration-error.js";
export { TaskRegistrationError } from "./task-registration-error.js";
