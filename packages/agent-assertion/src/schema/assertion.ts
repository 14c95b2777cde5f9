/** The authentication scheme as it is written; it is compared without regard to case (RFC 9110 §11.1). */
export const SCHEME = "AgentAssertion";

/** The longest field value, scheme included, that is looked at (protocol.md §8). */
export const MAX_FIELD_LENGTH = 8192;

/** The text that an assertion signs (protocol.md §6). No id holds a colon, so that it is unambiguous. */
export function assertionText(agentRuntimeId: string, taskId: string, timestamp: string): string {
  return `${agentRuntimeId}:${taskId}:${timestamp}`;
}
