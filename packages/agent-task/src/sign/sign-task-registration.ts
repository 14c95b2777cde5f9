import type { AgentKey } from "@countersign/agent-key";

/** The body of a task registration, as it goes over the wire. */
export interface TaskRegistration {
  /** Ed25519 over {@link taskRegistrationText}, standard base64 with padding. */
  readonly signature: string;
  /** RFC 3339, UTC, whole seconds, `Z`. */
  readonly timestamp: string;
}

/**
 * The text that a task registration signs: `{agent_runtime_id}:{timestamp}`.
 *
 * @param agentRuntimeId - checked by `isServerId`; an id with a colon would make the text ambiguous
 * @param timestamp - as `formatTimestamp` writes it
 * @see docs/protocol.md §5.5
 */
export function taskRegistrationText(agentRuntimeId: string, timestamp: string): string {
  return `${agentRuntimeId}:${timestamp}`;
}

/**
 * Makes the body of a task registration. Pure: the same input gives the same bytes (RFC 8032 §5.1.6).
 *
 * @see docs/protocol.md §5.5
 */
export function signTaskRegistration(
  agentRuntimeId: string,
  key: AgentKey,
  timestamp: string,
): TaskRegistration {
  return { signature: key.signText(taskRegistrationText(agentRuntimeId, timestamp)), timestamp };
}
