import { createPublicKey, type KeyObject } from "node:crypto";

// A sealed box is the sender's one-time X25519 key, then what `boxCipher` makes of the content.

/** Bytes of an X25519 public key. */
export const PUBLIC_KEY_BYTES = 32;
/** Bytes that a sealed box adds to what it holds: the one-time public key and the tag of Poly1305. */
export const SEAL_BYTES = PUBLIC_KEY_BYTES + 16;

// DER of a SubjectPublicKeyInfo up to the key (RFC 8410 §4).
const SPKI_PREFIX = Buffer.from("302a300506032b656e032100", "hex");

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
