// The order of the base point, little endian (RFC 8032 §5.1).
const L = Buffer.from("edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010", "hex");
const SCALAR_AT = 32;
const SIGNATURE_BYTES = 64;

/**
 * Tells whether bytes may be an Ed25519 signature at all: 64 of them, of which the second half, S, is below the order of the base point.
 *
 * Without the second condition one signature has several spellings. Current runtimes check it as well; it is not left to them.
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
