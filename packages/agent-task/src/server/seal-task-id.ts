import { createPrivateKey, randomBytes } from "node:crypto";
import { encodeBase64, isServerId } from "@countersign/agent-key";
import { PUBLIC_KEY_BYTES, rawPublicKey, sealedBoxCipher } from "../internal/sealed-box.js";

// DER of an X25519 private key up to its scalar (RFC 8410 §7).
const PKCS8_PREFIX = Buffer.from("302e020100300506032b656e04220420", "hex");

/** Options of {@link sealTaskId}. */
export interface SealTaskIdOptions {
  /** Source of the 32 secret bytes of the one-time key. Default `node:crypto` randomBytes. For tests alone. */
  readonly randomBytes?: ((size: number) => Uint8Array) | undefined;
}

/**
 * Seals a task id so that only the holder of the agent's key learns it: a libsodium sealed box in standard base64, the
 * `encrypted_task_id` of an answer.
 *
 * @param x25519PublicKey - 32 bytes, from `toX25519PublicKey`
 * @throws {TypeError} when the id is none (docs/protocol.md §2) or the key has another length
 * @throws what `node:crypto` throws when the key is of small order, which no checked `AgentPublicKey` gives
 * @see docs/protocol.md §4
 */
export function sealTaskId(
  taskId: string,
  x25519PublicKey: Uint8Array,
  options: SealTaskIdOptions = {},
): string {
  if (!isServerId(taskId)) throw new TypeError("taskId is no valid id");
  if (x25519PublicKey.length !== PUBLIC_KEY_BYTES) {
    throw new TypeError("x25519PublicKey must have 32 bytes");
  }
  const privateKey = createPrivateKey({
    key: Buffer.concat([PKCS8_PREFIX, (options.randomBytes ?? randomBytes)(32)]),
    format: "der",
    type: "pkcs8",
  });
  const ephemeralPublicKey = rawPublicKey(privateKey);
  const cipher = sealedBoxCipher({
    privateKey,
    ephemeralPublicKey,
    recipientPublicKey: x25519PublicKey,
    role: "sender",
  });
  const box = cipher.encrypt(Buffer.from(taskId, "ascii"));
  return encodeBase64(Buffer.concat([ephemeralPublicKey, box]));
}
