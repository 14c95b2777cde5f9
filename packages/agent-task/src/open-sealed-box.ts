import type { AgentSigner } from "@countersign/agent-key";
import { AgentTaskError } from "./agent-task-error.js";
import {
  PUBLIC_KEY_BYTES,
  publicKeyOf,
  rawPublicKey,
  SEAL_BYTES,
  sealedBoxCipher,
} from "./internal/sealed-box.js";

/**
 * Opens a libsodium sealed box (`crypto_box_seal`) that was made for the X25519 form of an agent's key.
 *
 * A sealed box proves nothing about its sender, so its content is untrusted.
 *
 * @param box - the one-time public key (32 bytes), the tag (16 bytes) and the cipher text
 * @throws {AgentTaskError} `bad_response` if the signer cannot open boxes, or the box is too short, was made for another key, or was changed
 * @see docs/protocol.md §4, §5.5
 */
export function openSealedBox(
  box: Uint8Array,
  key: Pick<AgentSigner, "toX25519PrivateKey">,
): Uint8Array {
  return openBox(box, key);
}

/** Opens a sealed box as `openSealedBox` does; `shared` is the shared secret of its keys, if it is known already. */
export function openBox(
  box: Uint8Array,
  key: Pick<AgentSigner, "toX25519PrivateKey">,
  shared?: Uint8Array,
): Uint8Array {
  if (key.toX25519PrivateKey === undefined) throw cannotOpen();
  if (box.length < SEAL_BYTES) throw notOurs();
  const privateKey = key.toX25519PrivateKey();
  const ephemeralPublicKey = box.subarray(0, PUBLIC_KEY_BYTES);
  try {
    return sealedBoxCipher({
      privateKey,
      publicKey: publicKeyOf(ephemeralPublicKey),
      ephemeralPublicKey,
      recipientPublicKey: rawPublicKey(privateKey),
      shared,
    }).decrypt(box.subarray(PUBLIC_KEY_BYTES));
  } catch (cause) {
    throw notOurs(cause);
  }
}

function cannotOpen(): AgentTaskError {
  return new AgentTaskError(
    "bad_response",
    "the authority sealed the task id, and this agent's signer cannot open it",
    {
      hint: "update the authority, which does not know plain task ids; or use a key whose signer has toX25519PrivateKey(), as an AgentKey does",
    },
  );
}

function notOurs(cause?: unknown): AgentTaskError {
  return new AgentTaskError(
    "bad_response",
    "the encrypted task id was not made for this agent's key",
    {
      cause,
      hint: "the authority may hold another public key for this agent",
    },
  );
}
