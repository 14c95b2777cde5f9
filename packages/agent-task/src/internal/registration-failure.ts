import { CountersignError } from "@countersign/agent-key";
import { hintOfCode } from "@countersign/agent-key/codes";
import type { TaskScope } from "../agent-task.js";
import { TaskRegistrationError } from "../task-registration-error.js";

/** Makes a {@link TaskRegistrationError} of whatever a registration threw; the code, the hint and the cause are kept. */
export function toRegistrationError(
  error: unknown,
  about: {
    readonly scope: TaskScope;
    readonly authority: string;
    readonly agentRuntimeId?: string | undefined;
  },
): TaskRegistrationError {
  if (TaskRegistrationError.is(error)) return error;
  const { scope, agentRuntimeId } = about;
  if (!CountersignError.is(error)) {
    return new TaskRegistrationError("internal", "no task for this turn: an unexpected error", {
      scope,
      agentRuntimeId,
      cause: error,
    });
  }
  return new TaskRegistrationError(error.code, `no task for this turn: ${error.message}`, {
    scope,
    agentRuntimeId,
    cause: error,
    hint: error.hint ?? hintOfCode(error.code, about.authority),
    retryable: error.retryable,
  });
}

/** The registration was ended before it was done: by its deadline, by the caller, or because the manager was closed. */
export function endedError(
  code: "timeout" | "cancelled",
  message: string,
  scope: TaskScope,
  agentRuntimeId?: string,
): TaskRegistrationError {
  return new TaskRegistrationError(code, message, {
    scope,
    agentRuntimeId,
    hint: code === "timeout" ? "the next turn tries again" : undefined,
    retryable: code === "timeout",
  });
}
