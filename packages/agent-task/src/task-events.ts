import type { Code } from "@countersign/agent-key";
import type { TaskScope } from "./agent-task.js";
import type { TaskRegistrationError } from "./task-registration-error.js";

/** What every event holds: the scope of the task. No event holds a secret. */
export interface TaskEvent {
  readonly scope: TaskScope;
}

/** An event about one task of one agent. */
export interface TaskOfAgentEvent extends TaskEvent {
  readonly authority: string;
  readonly agentRuntimeId: string;
  readonly taskId: string;
}

/** A registration is about to be sent. */
export interface RegisteringEvent extends TaskEvent {
  readonly authority: string;
  readonly agentRuntimeId: string;
  /** `first`: the scope has no task of this agent; `replaced`: it was refused or has ended; `renewed`: it ends soon. */
  readonly reason: "first" | "replaced" | "renewed";
}

/** A turn is still waiting for its task: after 1 s, then each 5 s. For a progress line. */
export interface WaitingEvent extends TaskEvent {
  /** Milliseconds since the turn began to wait. */
  readonly elapsedMs: number;
}

/** An attempt failed for a passing reason, and another one follows. */
export interface RetryingEvent extends TaskEvent {
  /** The attempt that failed, from 1. */
  readonly attempt: number;
  /** Milliseconds until the next one. */
  readonly delayMs: number;
  readonly code: Code;
}

/** The authority registered a task. */
export interface RegisteredEvent extends TaskOfAgentEvent {
  /** Epoch milliseconds by the authority's clock. Absent: no known end. */
  readonly expiresAt?: number | undefined;
}

/** A task is used no more. */
export interface DiscardedEvent extends TaskOfAgentEvent {
  /** The code of the refusal; `renewed`: another one took its place before it ended; absent: a refusal without a code. */
  readonly reason?: Code | "renewed" | undefined;
}

/** A registration failed. */
export interface FailedEvent extends TaskEvent {
  readonly error: TaskRegistrationError;
  /** Whether it was made ahead of time: no turn fails because of it. */
  readonly prewarm: boolean;
}

/** A turn goes on with the human's own token, as the policy `onFailure: "bearer"` declares. Once for each thread. */
export interface FallbackEvent extends TaskEvent {
  readonly error: TaskRegistrationError;
  /** The only origins that the token may go to. */
  readonly origins: readonly string[];
}

/** The events of `AgentTaskManager`; each comes with one payload. */
export interface AgentTaskEvents {
  registering: [RegisteringEvent];
  waiting: [WaitingEvent];
  retrying: [RetryingEvent];
  registered: [RegisteredEvent];
  /** A stored task was taken up again, without a request. */
  reused: [TaskOfAgentEvent];
  discarded: [DiscardedEvent];
  failed: [FailedEvent];
  fallback: [FallbackEvent];
}

/**
 * The name of the channel of `node:diagnostics_channel` that gets every event as `{ event, ...payload }`.
 */
export const TASK_CHANNEL = "countersign:agent-task";

/** Emits one event. Never throws. */
export type EmitTaskEvent = <K extends keyof AgentTaskEvents>(
  event: K,
  payload: AgentTaskEvents[K][0],
) => void;
