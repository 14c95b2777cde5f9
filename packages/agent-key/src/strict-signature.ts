// The order of the base point, little endian (RFC 8032 §5.1).
const L = Buffer.from("edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010", "hex");
const SCALAR_AT = 32;
const SIGNATURE_BYTES = 64;

/**
 * Returns whether bytes may be an Ed25519 signature: there are 64 of them, and the second half, S, is below the order of the base point.
 *
 * Without the second condition one signature has several encodings. Current runtimes check it too, but this package does not rely on them.
 *
 * @see RFC 8032 §5.1.7
 */
export function isStrictSignature(signature: Uint8Array): boolean {
  if (signature.length !== SIGNATURE_BYTES) return false;
  for (let i = 31; i >= 0; i -= 1) {
    const s = signature[SCALAR_AT + i] ?? 0;
    const l = L[i] ?? 0;
    if (s !== l) return s < l;
  }
  return false;
}
