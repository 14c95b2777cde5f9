import { channel } from "node:diagnostics_channel";
import { CountersignError } from "@countersign/agent-key";
import type { IdentityOwner } from "./identity-owner.js";

/** The name of the channel of `node:diagnostics_channel` that gets an {@link IdentityMessage} for each event of every manager in the process. */
export const IDENTITY_CHANNEL = "countersign:agent-identity";

/** What every event holds: the authority, account and user whose agent it is. No event holds a secret. */
export interface IdentityStepEvent extends IdentityOwner {
  /** From `answered` on; of a rotation from its beginning. */
  readonly agentRuntimeId?: string | undefined;
}

/** The event of one registered agent. */
export interface IdentityOfAgentEvent extends IdentityOwner {
  readonly agentRuntimeId: string;
}

/** The authority refused the agent itself. */
export interface IdentityRefusedEvent extends IdentityOfAgentEvent {
  readonly code: "unknown_agent" | "agent_expired" | "agent_revoked";
}

/** An agent that was refused has been registered again. */
export interface IdentityReplacedEvent extends IdentityOfAgentEvent {
  /** The agent that was refused. The same one if its registration was renewed. */
  readonly formerAgentRuntimeId: string;
  readonly code: "unknown_agent" | "agent_expired";
}

/** A registration or a rotation failed. Not emitted if it was ended because no caller waits any more. */
export interface IdentityFailedEvent extends IdentityOwner {
  readonly during: "registration" | "rotation";
  readonly error: CountersignError;
}

/**
 * The events of `AgentIdentityManager`; each comes with one payload.
 *
 * A registration emits, in this order: `registering`, its turn has come; `key_stored`; `requesting`, the authority is about to be asked;
 * `answered`; `registered`, the answer is stored. A rotation: `rotating`, `next_key_stored`, `requesting`, `answered`, `rotated`.
 */
export interface AgentIdentityEvents {
  registering: [IdentityStepEvent];
  key_stored: [IdentityStepEvent];
  rotating: [IdentityStepEvent];
  next_key_stored: [IdentityStepEvent];
  requesting: [IdentityStepEvent];
  answered: [IdentityOfAgentEvent];
  registered: [IdentityOfAgentEvent];
  rotated: [IdentityOfAgentEvent];
  refused: [IdentityRefusedEvent];
  replaced: [IdentityReplacedEvent];
  failed: [IdentityFailedEvent];
  /** The identity was removed from the store; the agent stays registered. */
  forgotten: [IdentityStepEvent];
}

/** The name of an event of `AgentIdentityManager`. */
export type IdentityEvent = keyof AgentIdentityEvents;

/** What subscribers of {@link IDENTITY_CHANNEL} get, synchronously: the step after it has not begun. Holds no secret. */
export type IdentityMessage = {
  readonly [K in IdentityEvent]: { readonly event: K } & AgentIdentityEvents[K][0] &
    IdentityStepEvent;
}[IdentityEvent];

/** Emits one event about an owner's agent. Never throws. */
export type EmitIdentityEvent = <K extends IdentityEvent>(
  event: K,
  owner: IdentityOwner,
  more: Omit<AgentIdentityEvents[K][0], keyof IdentityOwner>,
) => void;

/** Emits events on a manager and on the channel. */
export function identityEmitter(emitter: {
  emit(event: string, payload: unknown): boolean;
}): EmitIdentityEvent {
  return (event, { authority, accountId, userId }, more) => {
    const payload = { authority, accountId, userId, ...more };
    try {
      emitter.emit(event, payload);
    } catch (error) {
      // A listener's fault is not the registration's, and must not pass unseen either.
      process.emitWarning(error instanceof Error ? error : String(error));
    }
    const steps = channel(IDENTITY_CHANNEL);
    if (steps.hasSubscribers) steps.publish({ event, ...payload });
  };
}

/** Runs a registration or a rotation, and emits `failed` if it fails while somebody waits for it. */
export async function emittingFailure<T>(
  emit: EmitIdentityEvent,
  about: {
    readonly owner: IdentityOwner;
    readonly during: IdentityFailedEvent["during"];
    readonly signal: AbortSignal;
  },
  run: () => Promise<T>,
): Promise<T> {
  try {
    return await run();
  } catch (error) {
    const { owner, during, signal } = about;
    if (!signal.aborted && CountersignError.is(error)) emit("failed", owner, { during, error });
    throw error;
  }
}
