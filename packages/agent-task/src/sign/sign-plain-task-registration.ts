import { type AgentSigner, type SyncAgentSigner, signWith } from "@countersign/agent-key";
import { type SignWithOptions, signWithAsync } from "@countersign/agent-key/signers";
import type { TaskRegistration } from "./sign-task-registration.js";

/** A task registration whose answer has the task id in clear, for a key that opens no sealed box. */
export interface PlainTaskRegistration {
  /** Base URL by which the client calls the authority, normalised as `parseAuthority` does. */
  readonly authority: string;
  /** Checked by `isServerId`. */
  readonly agentRuntimeId: string;
  /** RFC 3339, UTC, whole seconds, `Z`. */
  readonly timestamp: string;
  /** The value of `Idempotency-Key`: 1 to 256 visible ASCII characters. Absent: the field is not sent. */
  readonly idempotencyKey?: string | undefined;
}

/**
 * The text that a plain task registration signs: five lines, the last of which is empty without an `Idempotency-Key`.
 *
 * It is another text than that of a sealed registration, so that neither can be turned into the other on the way. It covers the
 * `Idempotency-Key`, so that one signature brings the id of one task.
 *
 * @see docs/protocol.md T-11
 */
export function plainTaskRegistrationText(registration: PlainTaskRegistration): string {
  const { authority, agentRuntimeId, timestamp, idempotencyKey = "" } = registration;
  // None of them can hold a line break: a base URL, an id of protocol §3, a timestamp, visible ASCII.
  return ["countersign-plain-task-v1", authority, agentRuntimeId, timestamp, idempotencyKey].join(
    "\n",
  );
}

/**
 * Makes the body of a plain task registration. Pure: the same input gives the same bytes (RFC 8032 §5.1.6).
 *
 * @throws {AgentKeyError} as `signWith`: `config_invalid` if the key gives a promise
 * @see docs/protocol.md T-11
 */
export function signPlainTaskRegistration(
  registration: PlainTaskRegistration,
  key: SyncAgentSigner,
): TaskRegistration {
  return bodyOf(registration, signWith(key, plainTaskRegistrationText(registration)));
}

/**
 * Makes the same body with any signer.
 *
 * @throws {AgentKeyError} as `signWithAsync`
 */
export async function signPlainTaskRegistrationAsync(
  registration: PlainTaskRegistration,
  key: AgentSigner,
  options?: SignWithOptions,
): Promise<TaskRegistration> {
  const text = plainTaskRegistrationText(registration);
  return bodyOf(registration, await signWithAsync(key, text, options));
}

function bodyOf({ timestamp }: PlainTaskRegistration, signature: string): TaskRegistration {
  return { signature, timestamp, plain_task_id: true };
}
