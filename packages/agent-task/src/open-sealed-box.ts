import type { AgentSigner } from "@countersign/agent-key";
import { boxCipher } from "./internal/box-cipher.js";
import { openBox } from "./internal/open-box.js";

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
  return openBox(boxCipher, box, key);
}
