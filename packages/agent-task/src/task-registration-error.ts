import type { Code, CountersignErrorOptions } from "@countersign/agent-key";
import type { TaskScope } from "./agent-task.js";
import { AgentTaskError } from "./agent-task-error.js";

/** Options of {@link TaskRegistrationError}. */
export interface TaskRegistrationErrorOptions extends CountersignErrorOptions {
  /** The thread, name or run whose turn failed. */
  readonly scope: TaskScope;
  /** The agent that asked, if there was one yet. */
  readonly agentRuntimeId?: string | undefined;
}

/**
 * One thread has no task for this turn. Nothing else is affected: other threads go on, and the next turn of this thread tries again.
 *
 * `code` is any of the registration and store codes of the protocol (docs/protocol.md §9): `timeout`, `unreachable`, `server_error` and
 * `rate_limited` are `retryable`; `agent_revoked` and `unknown_agent` need a person, whom `hint` names.
 */
export class TaskRegistrationError extends AgentTaskError {
  static override readonly brandName: string = "TaskRegistrationError";

  /** The thread, name or run whose turn failed. */
  readonly scope: TaskScope;
  /** The agent that asked, if there was one yet. */
  readonly agentRuntimeId: string | undefined;

  constructor(code: Code, message: string, options: TaskRegistrationErrorOptions) {
    super(code, message, options);
    this.scope = options.scope;
    this.agentRuntimeId = options.agentRuntimeId;
  }
}
