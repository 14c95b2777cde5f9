import { type AgentSigner, type SyncAgentSigner, signWith } from "@countersign/agent-key";
import { type SignWithOptions, signWithAsync } from "@countersign/agent-key/signers";

/** The body of a task registration, as it goes over the wire. */
export interface TaskRegistration {
  /** Ed25519 over {@link taskRegistrationText}, in standard base64 with padding. */
  readonly signature: string;
  /** RFC 3339, UTC, whole seconds, `Z`. */
  readonly timestamp: string;
  /** The task id is asked for in clear; the signature is then over `plainTaskRegistrationText`. Absent: in a sealed box. */
  readonly plain_task_id?: true | undefined;
  /** What the client calls the thread (docs/protocol.md T-14). No signature of this body covers it. Absent: no label. */
  readonly thread_label?: string | undefined;
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
 * @throws {AgentKeyError} as `signWith`: `config_invalid` if the key gives a promise
 * @see docs/protocol.md §5.5
 */
export function signTaskRegistration(
  agentRuntimeId: string,
  key: SyncAgentSigner,
  timestamp: string,
): TaskRegistration {
  return { signature: signWith(key, taskRegistrationText(agentRuntimeId, timestamp)), timestamp };
}

/**
 * Makes the same body with any signer.
 *
 * @throws {AgentKeyError} as `signWithAsync`
 */
export async function signTaskRegistrationAsync(
  agentRuntimeId: string,
  key: AgentSigner,
  timestamp: string,
  options?: SignWithOptions,
): Promise<TaskRegistration> {
  const text = taskRegistrationText(agentRuntimeId, timestamp);
  return { signature: await signWithAsync(key, text, options), timestamp };
}
