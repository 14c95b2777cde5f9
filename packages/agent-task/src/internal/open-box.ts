import { diffieHellman } from "node:crypto";
import type { AgentSigner } from "@countersign/agent-key";
import { AgentTaskError } from "../agent-task-error.js";
import type { boxCipher } from "./box-cipher.js";
import { PUBLIC_KEY_BYTES, publicKeyOf, rawPublicKey, SEAL_BYTES } from "./sealed-box.js";
import { deriveInWorkers } from "./shared-secret.js";

/**
 * Opens a sealed box as `openSealedBox` does. Loads the cipher for it, because most of the tasks that a process uses were registered before.
 *
 * @throws {AgentTaskError} as `openSealedBox`
 */
export async function loadAndOpenBox(box: Uint8Array, key: AgentSigner): Promise<Uint8Array> {
  const shared = await deriveInWorkers(key, () => box.subarray(0, PUBLIC_KEY_BYTES));
  const { boxCipher } = await import("./box-cipher.js");
  return openBox(boxCipher, box, key, shared);
}

/**
 * Opens a sealed box as `openSealedBox` does, with the cipher that is given.
 *
 * @param known - the shared secret of its keys, if it is known already
 * @throws {AgentTaskError} as `openSealedBox`
 */
export function openBox(
  cipher: typeof boxCipher,
  box: Uint8Array,
  key: Pick<AgentSigner, "toX25519PrivateKey">,
  known?: Uint8Array,
): Uint8Array {
  if (key.toX25519PrivateKey === undefined) throw cannotOpen();
  if (box.length < SEAL_BYTES) throw notOurs();
  const privateKey = key.toX25519PrivateKey();
  const ephemeral = box.subarray(0, PUBLIC_KEY_BYTES);
  try {
    // Throws for a one-time key of small order: the shared secret would be zero (RFC 7748 §6.1).
    const shared = known ?? diffieHellman({ privateKey, publicKey: publicKeyOf(ephemeral) });
    return cipher(shared, ephemeral, rawPublicKey(privateKey)).decrypt(
      box.subarray(PUBLIC_KEY_BYTES),
    );
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
