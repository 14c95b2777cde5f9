import type { AgentPublicKey } from "@countersign/agent-key";
import { ed25519 } from "@noble/curves/ed25519.js";

/**
 * The X25519 form of an agent's public key, 32 bytes: what a task id is sealed to. About a millisecond; keep it beside the agent.
 *
 * As libsodium's `crypto_sign_ed25519_pk_to_curve25519` gives it (RFC 7748 §4.1).
 *
 * @see docs/protocol.md §4
 */
export function toX25519PublicKey(publicKey: AgentPublicKey): Uint8Array {
  return ed25519.utils.toMontgomery(publicKey.toBytes());
}
