// Decides whether 32 bytes are a sound Ed25519 public key: canonical, on the curve, not of small order.
// Node 20 and 22 accept one constant signature for every text under the identity point, so this is not left to the runtime
// (docs/protocol.md §4). Curve and encoding: RFC 8032 §5.1, §5.1.3.

const P = 2n ** 255n - 19n;
// d = -121665/121666 (RFC 8032 §5.1).
const D = 37095705934669439343138083508754565189542113879843219016388785533085940283555n;

// The y coordinate of four of the points of order 8; the other four have its negative.
const Y_OF_ORDER_8 = 2707385501144840649318225287225658788936804267575313519463743609750303402022n;
// The y coordinates of the eight points whose order divides 8; with either sign bit none of them is a key.
const SMALL_ORDER_Y: ReadonlySet<bigint> = new Set([
  0n,
  1n,
  P - 1n,
  Y_OF_ORDER_8,
  P - Y_OF_ORDER_8,
]);

/** Returns whether the 32 bytes are the canonical encoding of a point of the curve that is not of small order. */
export function isSoundPublicKey(bytes: Uint8Array): boolean {
  if (bytes.length !== 32) return false;
  const y = decodeY(bytes);
  if (y >= P || SMALL_ORDER_Y.has(y)) return false;
  // x² = (y² - 1) / (d y² + 1) has a root exactly if the quotient, or equally the product, is a square (Euler's criterion).
  // x = 0 occurs only for y = ±1, which are of small order, so a sign bit without a meaning cannot occur here.
  const y2 = (y * y) % P;
  const product = ((y2 - 1n + P) * (D * y2 + 1n)) % P;
  return power(product, (P - 1n) / 2n) === 1n;
}

function decodeY(bytes: Uint8Array): bigint {
  let y = 0n;
  for (let i = 31; i >= 0; i -= 1) {
    const byte = bytes[i] ?? 0;
    y = (y << 8n) | BigInt(i === 31 ? byte & 0x7f : byte);
  }
  return y;
}

function power(base: bigint, exponent: bigint): bigint {
  let result = 1n;
  let square = base % P;
  for (let rest = exponent; rest > 0n; rest >>= 1n) {
    if ((rest & 1n) === 1n) result = (result * square) % P;
    square = (square * square) % P;
  }
  return result;
}
