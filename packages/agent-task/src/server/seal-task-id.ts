import { diffieHellman, generateKeyPairSync, type KeyObject } from "node:crypto";
import { encodeBase64, isServerId, LinkedMap } from "@countersign/agent-key";
import { boxCipher } from "../internal/box-cipher.js";
import { PUBLIC_KEY_BYTES, publicKeyOf, rawPublicKey } from "../internal/sealed-box.js";

// An agent registers many tasks, and to make a KeyObject costs more than the agreement that it is for.
const MAX_RECIPIENTS = 5_000;
const recipients = new LinkedMap<string, KeyObject>(MAX_RECIPIENTS);

/**
 * Seals a task id so that only the holder of the agent's key learns it: a libsodium sealed box in standard base64, the
 * `encrypted_task_id` of an answer.
 *
 * @param x25519PublicKey - 32 bytes, from `toX25519PublicKey`
 * @throws {TypeError} if the id is not valid (docs/protocol.md §3) or the key is not 32 bytes long
 * @throws what `node:crypto` throws if the key is of small order; the key of a checked `AgentPublicKey` never is
 * @see docs/protocol.md §5.5
 */
export function sealTaskId(taskId: string, x25519PublicKey: Uint8Array): string {
  if (!isServerId(taskId)) throw new TypeError("taskId is not a valid id");
  if (x25519PublicKey.length !== PUBLIC_KEY_BYTES) {
    throw new TypeError("x25519PublicKey must have 32 bytes");
  }
  // A new one for each box: its shared secret is the key of that box alone.
  const { privateKey } = generateKeyPairSync("x25519");
  const ephemeralPublicKey = rawPublicKey(privateKey);
  // Throws for a key of small order: the shared secret would be zero (RFC 7748 §6.1).
  const shared = diffieHellman({ privateKey, publicKey: recipientOf(x25519PublicKey) });
  const cipher = boxCipher(shared, ephemeralPublicKey, x25519PublicKey);
  const box = cipher.encrypt(Buffer.from(taskId, "ascii"));
  return encodeBase64(Buffer.concat([ephemeralPublicKey, box]));
}

function recipientOf(x25519PublicKey: Uint8Array): KeyObject {
  const name = encodeBase64(x25519PublicKey);
  const recipient = recipients.get(name) ?? publicKeyOf(x25519PublicKey);
  recipients.set(name, recipient);
  return recipient;
}
