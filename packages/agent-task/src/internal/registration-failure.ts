import { AgentIdentityError } from "@countersign/agent-identity";
import { type Code, CountersignError } from "@countersign/agent-key";
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
    hint: ownHint(error) ?? hintFor(error.code, about) ?? error.hint,
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

// Of an agent that came with its key the identity's own error says what to do: no login at the authority helps.
function ownHint(error: CountersignError): string | undefined {
  return AgentIdentityError.is(error) ? error.hint : undefined;
}

// Who must act, where it is not the one who reads the message first.
function hintFor(
  code: Code,
  about: { readonly authority: string; readonly agentRuntimeId?: string | undefined },
): string | undefined {
  switch (code) {
    case "agent_revoked":
      return `the operator of ${about.authority} revoked agent ${about.agentRuntimeId ?? ""}; it is never replaced by itself: ask them`;
    case "unknown_agent":
      return `${about.authority} does not know the agent that it registered just now: ask its operator`;
    case "agent_expired":
      return "log in again: an agent is renewed under fresh human auth";
    case "unauthenticated":
    case "biscuit_invalid":
      return `log in to ${about.authority} again`;
    default:
      return undefined;
  }
}
