import { type AgentPublicKey, decodeBase64, parseTimestamp } from "@countersign/agent-key";
import { AgentTaskError } from "../agent-task-error.js";
import {
  type PlainTaskRegistration,
  plainTaskRegistrationText,
} from "../sign/sign-plain-task-registration.js";
import { type TaskRegistration, taskRegistrationText } from "../sign/sign-task-registration.js";

const DEFAULT_SKEW_SECONDS = 300;

/** Options of {@link verifyTaskRegistration}. */
export interface VerifyTaskRegistrationOptions {
  /** The checker's clock, epoch milliseconds. */
  readonly now: number;
  /** How far the timestamp may be from `now`, either way, both ends included. Seconds. Default 300. */
  readonly maxSkewSeconds?: number | undefined;
  /**
   * What a registration with `plain_task_id` signs besides its body. Absent: the checker answers no plain task id, and such a registration
   * does not hold.
   */
  readonly plain?: Pick<PlainTaskRegistration, "authority" | "idempotencyKey"> | undefined;
}

/** What {@link verifyTaskRegistration} found. */
export interface VerifiedTaskRegistration {
  /** The key that signed: the one to seal the answer to. */
  readonly publicKey: AgentPublicKey;
  /** When it was signed, epoch milliseconds, by the client's clock. */
  readonly signedAt: number;
}

/**
 * Checks a task registration: time, then the signature, strictly, by one of the agent's keys. Whether the agent is known and live is the
 * caller's to check: that it is known before, its state after, so that nothing is told to a stranger.
 *
 * @param request - from `parseTaskRegistrationRequest`
 * @param agentRuntimeId - of the path, decoded
 * @param publicKeys - the keys that are valid for this agent now
 * @throws {AgentTaskError} `expired` or `not_yet_valid` outside the skew; `bad_signature`
 * @see docs/protocol.md §5.5, K-5
 */
export function verifyTaskRegistration(
  request: TaskRegistration,
  agentRuntimeId: string,
  publicKeys: readonly AgentPublicKey[],
  options: VerifyTaskRegistrationOptions,
): VerifiedTaskRegistration {
  const signedAt = parseTimestamp(request.timestamp);
  const skewMs = (options.maxSkewSeconds ?? DEFAULT_SKEW_SECONDS) * 1000;
  // Timestamps are whole seconds, so the checker's clock is taken in whole seconds too.
  const now = Math.floor(options.now / 1000) * 1000;
  if (!(now - signedAt <= skewMs)) {
    throw new AgentTaskError("expired", "the task registration was signed too long ago", {
      hint: "check the clock of the machine that signed",
    });
  }
  if (!(signedAt - now <= skewMs)) {
    throw new AgentTaskError("not_yet_valid", "the task registration was signed in the future", {
      hint: "check the clock of the machine that signed",
    });
  }
  const text = signedText(request, agentRuntimeId, options);
  const signature = decodeBase64(request.signature);
  const publicKey =
    text === undefined
      ? undefined
      : publicKeys.find((candidate) => candidate.verify(text, signature));
  if (publicKey === undefined) {
    throw new AgentTaskError("bad_signature", "the signature does not hold under the agent's key");
  }
  return { publicKey, signedAt };
}

// The member decides which text is checked, so a member that was added or removed on the way never holds.
function signedText(
  { timestamp, plain_task_id }: TaskRegistration,
  agentRuntimeId: string,
  { plain }: VerifyTaskRegistrationOptions,
): string | undefined {
  if (plain_task_id === undefined) return taskRegistrationText(agentRuntimeId, timestamp);
  return plain && plainTaskRegistrationText({ ...plain, agentRuntimeId, timestamp });
}
