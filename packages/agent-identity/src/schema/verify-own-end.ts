import { type AgentPublicKey, parseTimestamp } from "@countersign/agent-key";
import { AgentIdentityError } from "../agent-identity-error.js";
import { type OwnEnd, ownEndText } from "./own-end.js";
import type { OwnEndRequest } from "./own-end-request.js";

const DEFAULT_SKEW_SECONDS = 300;

/** Options of {@link verifyOwnEnd}. */
export interface VerifyOwnEndOptions extends Omit<OwnEnd, "timestamp"> {
  /** The agent's keys that are valid now. */
  readonly publicKeys: readonly AgentPublicKey[];
  /** The checker's clock, epoch milliseconds. */
  readonly now: number;
  /** How far the timestamp may be from `now`, either way, both ends included. Seconds. Default 300. */
  readonly maxSkewSeconds?: number | undefined;
}

/**
 * Checks that an agent signed its own end, or that of a task: first the time, then the signature.
 *
 * Not checked: that the task is the agent's.
 *
 * @returns the key that signed
 * @throws {AgentIdentityError} `expired` or `not_yet_valid` outside the skew; `bad_signature`
 * @see protocol.md §5.7
 */
export function verifyOwnEnd(
  { timestamp, signature }: OwnEndRequest,
  options: VerifyOwnEndOptions,
): AgentPublicKey {
  const skewMs = (options.maxSkewSeconds ?? DEFAULT_SKEW_SECONDS) * 1000;
  // Timestamps are whole seconds, so the checker's clock is taken in whole seconds too.
  const age = Math.floor(options.now / 1000) * 1000 - parseTimestamp(timestamp);
  const hint = "check the clock of the machine that signed";
  if (!(age <= skewMs)) {
    throw new AgentIdentityError("expired", "the end was signed too long ago", { hint });
  }
  if (!(-age <= skewMs)) {
    throw new AgentIdentityError("not_yet_valid", "the end was signed in the future", { hint });
  }
  const text = ownEndText({ ...options, timestamp });
  const signer = options.publicKeys.find((key) => key.verify(text, signature));
  if (signer !== undefined) return signer;
  throw new AgentIdentityError(
    "bad_signature",
    "the signature does not hold under a current key of the agent",
  );
}
