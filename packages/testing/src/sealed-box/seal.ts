import {
  createPrivateKey,
  createPublicKey,
  diffieHellman,
  generateKeyPairSync,
  type KeyObject,
  timingSafeEqual,
} from "node:crypto";
import { blake2b } from "./blake2b.js";
import { poly1305 } from "./poly1305.js";
import { hsalsa20, xsalsa20Stream } from "./salsa20.js";

const P = (1n << 255n) - 19n;
// DER up to the key: SubjectPublicKeyInfo and PKCS#8 of X25519 (RFC 8410).
const SPKI = Buffer.from("302a300506032b656e032100", "hex");
const PKCS8 = Buffer.from("302e020100300506032b656e04220420", "hex");

/** Maps the 32 bytes of an Ed25519 public key to those of its X25519 key: u = (1 + y) / (1 - y). */
export function toX25519(ed25519: Uint8Array): Uint8Array {
  const masked = Uint8Array.from(ed25519);
  masked[31] = (masked[31] ?? 0) & 0x7f;
  const y = masked.reduceRight((sum, byte) => (sum << 8n) | BigInt(byte), 0n);
  let u = ((1n + y) * power((1n - y + P) % P, P - 2n)) % P;
  return Uint8Array.from({ length: 32 }, () => {
    const byte = Number(u & 0xffn);
    u >>= 8n;
    return byte;
  });
}

/** Seals bytes for an X25519 public key, as libsodium's `crypto_box_seal` does: 48 bytes more than the message. */
export function seal(message: Uint8Array, recipient: Uint8Array): Uint8Array {
  const ephemeral = generateKeyPairSync("x25519");
  const own = ephemeral.publicKey.export({ format: "der", type: "spki" }).subarray(-32);
  const { key, nonce } = boxKey(ephemeral.privateKey, publicKey(recipient), own, recipient);
  const stream = xsalsa20Stream(key, nonce, 32 + message.length);
  const cipher = message.map((byte, i) => byte ^ (stream[32 + i] ?? 0));
  return Buffer.concat([own, poly1305(cipher, stream.subarray(0, 32)), cipher]);
}

/** Opens a sealed box with the 32 bytes of an X25519 private key; `undefined`: not for this key, or changed. */
export function unseal(box: Uint8Array, scalar: Uint8Array): Uint8Array | undefined {
  if (box.length < 48) return undefined;
  const key32 = createPrivateKey({
    key: Buffer.concat([PKCS8, scalar]),
    format: "der",
    type: "pkcs8",
  });
  const own = createPublicKey(key32).export({ format: "der", type: "spki" }).subarray(-32);
  const ephemeral = box.subarray(0, 32);
  const { key, nonce } = boxKey(key32, publicKey(ephemeral), ephemeral, own);
  const cipher = box.subarray(48);
  const stream = xsalsa20Stream(key, nonce, 32 + cipher.length);
  const tag = poly1305(cipher, stream.subarray(0, 32));
  if (!timingSafeEqual(tag, box.subarray(32, 48))) return undefined;
  return cipher.map((byte, i) => byte ^ (stream[32 + i] ?? 0));
}

function boxKey(
  mine: KeyObject,
  theirs: KeyObject,
  ephemeral: Uint8Array,
  recipient: Uint8Array,
): { key: Uint8Array; nonce: Uint8Array } {
  const shared = diffieHellman({ privateKey: mine, publicKey: theirs });
  return {
    key: hsalsa20(shared, new Uint8Array(16)),
    nonce: blake2b(Buffer.concat([ephemeral, recipient]), 24),
  };
}

function publicKey(bytes: Uint8Array): KeyObject {
  return createPublicKey({ key: Buffer.concat([SPKI, bytes]), format: "der", type: "spki" });
}

function power(base: bigint, exponent: bigint): bigint {
  let result = 1n;
  let square = base % P;
  for (let left = exponent; left > 0n; left >>= 1n) {
    if ((left & 1n) === 1n) result = (result * square) % P;
    square = (square * square) % P;
  }
  return result;
}
