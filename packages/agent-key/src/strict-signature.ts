import { isSmallOrder } from "./edwards-point.js";

// The order of the base point, little endian (RFC 8032 §5.1).
const L = /* @__PURE__ */ Buffer.from(
  "edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010",
  "hex",
);
const SCALAR_AT = 32;
const SIGNATURE_BYTES = 64;

/**
 * Returns whether bytes may be an Ed25519 signature: there are 64 of them, the first half, R, is not of small order, and the second half, S,
 * is below the order of the base point.
 *
 * No signer makes an R of small order, and whether a signature with one holds differs between runtimes. Without the last condition one
 * signature has several encodings. Current runtimes check that one too, but this package does not rely on them.
 *
 * @see docs/protocol.md K-5; RFC 8032 §5.1.7
 */
export function isStrictSignature(signature: Uint8Array): boolean {
  if (signature.length !== SIGNATURE_BYTES || isSmallOrder(signature)) return false;
  for (let i = 31; i >= 0; i -= 1) {
    const s = signature[SCALAR_AT + i] ?? 0;
    const l = L[i] ?? 0;
    if (s !== l) return s < l;
  }
  return false;
}
