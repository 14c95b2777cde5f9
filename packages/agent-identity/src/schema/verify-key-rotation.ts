import { type AgentPublicKey, parseTimestamp } from "@countersign/agent-key";
import { AgentIdentityError } from "../agent-identity-error.js";
import { keyRotationText } from "./key-rotation.js";
import type { KeyRotationRequest } from "./key-rotation-request.js";

const DEFAULT_SKEW_SECONDS = 300;

/** Options of {@link verifyKeyRotation}. */
export interface VerifyKeyRotationOptions {
  /**
   * What the client calls this authority by: its normalised base URL, with the path that the request came under (`/backend-api`). Without a
   * `publicUrl`, on loopback, `http://<Host>` and that path.
   */
  readonly authority: string;
  /** Of the request's path, decoded. */
  readonly agentRuntimeId: string;
  /** The agent's keys that are valid now, the newest first. It alone may be replaced. */
  readonly currentKeys: readonly AgentPublicKey[];
  /** Keys of the agent that have ended. They sign nothing but the repetition of a rotation that was performed. Default none. */
  readonly endedKeys?: readonly AgentPublicKey[] | undefined;
  /** The checker's clock, epoch milliseconds. */
  readonly now: number;
  /** How far the timestamp may be from `now`, either way, both ends included. Seconds. Default 300. */
  readonly maxSkewSeconds?: number | undefined;
}

/** What {@link verifyKeyRotation} found. */
export interface VerifiedKeyRotation {
  /** The key that is replaced. */
  readonly formerPublicKey: AgentPublicKey;
  readonly newPublicKey: AgentPublicKey;
  /** The new key is the agent's newest already: answer as before. A repetition may say `compromised` where the first did not. */
  readonly isRepetition: boolean;
  /** When it was signed, epoch milliseconds, by the client's clock. */
  readonly signedAt: number;
}

/**
 * Checks a key rotation, in this order: its time; the new key's own signature; that the new key is not one that the agent has or had; the
 * signature of the key that is replaced, the newest one. A repetition, whose new key is the newest already, is signed by another of the
 * agent's keys, also by one that has ended.
 *
 * Not checked: the human's credential and that the agent is its own, that the agent is live, that no other agent has or had the new key.
 *
 * @throws {AgentIdentityError} `expired` or `not_yet_valid` outside the skew; `bad_signature`; `invalid_key` when the new key signs for itself
 * or was the agent's before
 * @see protocol.md §5.6
 */
export function verifyKeyRotation(
  request: KeyRotationRequest,
  options: VerifyKeyRotationOptions,
): VerifiedKeyRotation {
  const { authority, agentRuntimeId, currentKeys, endedKeys = [] } = options;
  const { newPublicKey, timestamp, signature } = request;
  const signedAt = parseTimestamp(timestamp);
  requireTime(signedAt, options);
  const text = keyRotationText({ authority, agentRuntimeId, timestamp, newPublicKey });
  if (!newPublicKey.verify(text, request.newKeySignature)) {
    throw badSignature("the new key's signature does not hold");
  }
  const [newest, ...others] = currentKeys;
  const former = [...others, ...endedKeys];
  const isRepetition = newest?.equals(newPublicKey) === true;
  const signers = isRepetition ? former : currentKeys.slice(0, 1);
  const signer = signers.find((key) => !key.equals(newPublicKey) && key.verify(text, signature));
  if (signer === undefined) {
    if (isRepetition && newPublicKey.verify(text, signature)) {
      throw invalidKey("the new key is the agent's current one");
    }
    throw badSignature("the signature does not hold under the agent's current key");
  }
  if (!isRepetition && former.some((key) => key.equals(newPublicKey))) {
    throw invalidKey("the new key was the agent's before");
  }
  return { formerPublicKey: signer, newPublicKey, isRepetition, signedAt };
}

function requireTime(signedAt: number, options: VerifyKeyRotationOptions): void {
  const skewMs = (options.maxSkewSeconds ?? DEFAULT_SKEW_SECONDS) * 1000;
  // Timestamps are whole seconds, so the checker's clock is taken in whole seconds too.
  const now = Math.floor(options.now / 1000) * 1000;
  const hint = "check the clock of the machine that signed";
  if (!(now - signedAt <= skewMs)) {
    throw new AgentIdentityError("expired", "the key rotation was signed too long ago", { hint });
  }
  if (!(signedAt - now <= skewMs)) {
    throw new AgentIdentityError("not_yet_valid", "the key rotation was signed in the future", {
      hint,
    });
  }
}

function badSignature(message: string): AgentIdentityError {
  return new AgentIdentityError("bad_signature", message);
}

function invalidKey(message: string): AgentIdentityError {
  return new AgentIdentityError("invalid_key", message, { hint: "rotate to a key that is new" });
}
