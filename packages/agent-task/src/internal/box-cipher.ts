import { hsalsa, xsalsa20poly1305 } from "@noble/ciphers/salsa.js";
import { blake2b } from "@noble/hashes/blake2.js";

// A client loads this module when it opens a box. It imports nothing of ours, so that a bundler can split it off.

const NONCE_BYTES = 24;

/**
 * The cipher of one sealed box: XSalsa20-Poly1305 under the shared secret, with a nonce made of both public keys (libsodium's
 * `crypto_box_seal`).
 *
 * @param shared - what X25519 makes of the two keys, never zero
 */
export function boxCipher(
  shared: Uint8Array,
  ephemeralPublicKey: Uint8Array,
  recipientPublicKey: Uint8Array,
): ReturnType<typeof xsalsa20poly1305> {
  const nonce = blake2b(Buffer.concat([ephemeralPublicKey, recipientPublicKey]), {
    dkLen: NONCE_BYTES,
  });
  return xsalsa20poly1305(boxKey(shared), nonce);
}

// The shared secret goes through HSalsa20 with a zero input to become the key (`crypto_box_beforenm`).
function boxKey(shared: Uint8Array): Uint8Array {
  const key = new Uint8Array(32);
  hsalsa(
    words(Buffer.from("expand 32-byte k", "latin1")),
    words(shared),
    new Uint32Array(4),
    new Uint32Array(key.buffer),
  );
  return key;
}

// A copy, so that the words are aligned; noble takes care of big-endian machines itself.
function words(bytes: Uint8Array): Uint32Array {
  return new Uint32Array(Uint8Array.from(bytes).buffer);
}
