import type { AgentIdentityManager } from "@countersign/agent-identity";
import type { AuthorityClock, CallPatience } from "@countersign/agent-identity/authority-client";
import type { TaskStore } from "../store/task-store.js";
import type { EmitTaskEvent } from "../task-events.js";

/** What a `TaskRegistrar` works with. */
export interface TaskRegistrarOptions {
  readonly identities: AgentIdentityManager;
  readonly store: TaskStore;
  readonly clock: AuthorityClock;
  readonly renewBeforeMs: number;
  readonly emit: EmitTaskEvent;
}

/** One registration that is under way. */
export interface RegistrationAttempt {
  readonly signal: AbortSignal;
  /** Milliseconds that are left for all of it. */
  readonly remainingMs: () => number;
  /** How its calls of the authority wait. */
  readonly patience: () => CallPatience;
  /** Called with the agent whose task is being registered. An error of the registration names this agent. */
  readonly onAgent: (agentRuntimeId: string) => void;
  /** Whether the scope was forgotten since the registration began. The task is then not kept. */
  readonly isForgotten: () => boolean;
}

/**
 * Upper bound of the attempts of a call whose turn has something else to go on with, a task that still lives or the human's token: it does not
 * wait for an authority that starts again.
 */
export function fewAttempts(outageMs: number | undefined): number {
  // Where outages are remembered, the third attempt would come that much later.
  return outageMs === undefined ? 3 : 2;
}
