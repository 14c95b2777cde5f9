import { createPublicKey, diffieHellman, type KeyObject } from "node:crypto";
import { hsalsa, xsalsa20poly1305 } from "@noble/ciphers/salsa.js";
import { blake2b } from "@noble/hashes/blake2.js";

// A sealed box is the sender's one-time X25519 key, then XSalsa20-Poly1305 under the shared secret, with a nonce made of both public
// keys (libsodium's `crypto_box_seal`).

/** Bytes of an X25519 public key. */
export const PUBLIC_KEY_BYTES = 32;
/** Bytes that a sealed box adds to what it holds: the one-time public key and the tag of Poly1305. */
export const SEAL_BYTES = PUBLIC_KEY_BYTES + 16;

// DER of a SubjectPublicKeyInfo up to the key (RFC 8410 §4).
const SPKI_PREFIX = Buffer.from("302a300506032b656e032100", "hex");
const NONCE_BYTES = 24;

/**
 * The cipher of one box.
 *
 * @throws what `node:crypto` throws if the other key is of small order (the shared secret would be zero, RFC 7748 §6.1)
 */
export function sealedBoxCipher(keys: {
  /** The half that this side holds: the one-time key of the sender, the long-lived one of the receiver. */
  readonly privateKey: KeyObject;
  /** The key of the other side. */
  readonly publicKey: KeyObject;
  readonly ephemeralPublicKey: Uint8Array;
  readonly recipientPublicKey: Uint8Array;
  /** The shared secret of the two keys, if it is known already. */
  readonly shared?: Uint8Array | undefined;
}): ReturnType<typeof xsalsa20poly1305> {
  const { privateKey, publicKey, shared = diffieHellman({ privateKey, publicKey }) } = keys;
  const nonce = blake2b(Buffer.concat([keys.ephemeralPublicKey, keys.recipientPublicKey]), {
    dkLen: NONCE_BYTES,
  });
  return xsalsa20poly1305(boxKey(shared), nonce);
}

/** The 32 public bytes of an X25519 key. */
export function rawPublicKey(privateKey: KeyObject): Uint8Array {
  const { x } = createPublicKey(privateKey).export({ format: "jwk" });
  return Buffer.from(x ?? "", "base64url");
}

/** The X25519 key of 32 public bytes. */
export function publicKeyOf(bytes: Uint8Array): KeyObject {
  const key = Buffer.concat([SPKI_PREFIX, bytes]);
  return createPublicKey({ key, format: "der", type: "spki" });
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
