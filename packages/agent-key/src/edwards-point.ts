// Decides whether 32 bytes are a sound Ed25519 public key: canonical, on the curve, not of small order.
// Node 20 and 22 accept one constant signature for every text under the identity point, so this is not left to the runtime
// (docs/protocol.md §4). Curve and encoding: RFC 8032 §5.1, §5.1.3.

// 2^255 - 19. Not computed here: a bundler leaves out what is unused only if it is a call that is marked or a constant.
const P = 57896044618658097711785492504343953926634992332820282019728792003956564819949n;
// d = -121665/121666 (RFC 8032 §5.1).
const D = 37095705934669439343138083508754565189542113879843219016388785533085940283555n;

// The y coordinates of the eight points whose order divides 8, little endian. Either sign of x has one of them.
const SMALL_ORDER_Y = [
  "0000000000000000000000000000000000000000000000000000000000000000",
  "0100000000000000000000000000000000000000000000000000000000000000",
  "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
  "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
  "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
];
const smallOrderYs = /* @__PURE__ */ bytesOf(SMALL_ORDER_Y);

/** Returns whether the first 32 bytes are the canonical encoding of a point whose order divides 8, whatever the bit of the sign of x. */
export function isSmallOrder(bytes: Uint8Array): boolean {
  return smallOrderYs.some((y) => {
    // From the first byte on, which settles it for almost every other point: this runs for each signature.
    for (let i = 0; i < 31; i += 1) if (bytes[i] !== y[i]) return false;
    return ((bytes[31] ?? 0) & 0x7f) === y[31];
  });
}

/** Returns whether the 32 bytes are the canonical encoding of a point of the curve that is not of small order. */
export function isSoundPublicKey(bytes: Uint8Array): boolean {
  if (bytes.length !== 32) return false;
  const y = decodeY(bytes);
  if (y >= P || isSmallOrder(bytes)) return false;
  // x² = (y² - 1) / (d y² + 1) has a root exactly if the quotient, or equally the product, is a square (Euler's criterion).
  // x = 0 occurs only for y = ±1, which are of small order, so a sign bit without a meaning cannot occur here.
  const y2 = (y * y) % P;
  const product = ((y2 - 1n + P) * (D * y2 + 1n)) % P;
  return power(product, (P - 1n) / 2n) === 1n;
}

function bytesOf(hexes: readonly string[]): readonly Uint8Array[] {
  return hexes.map((hex) => Buffer.from(hex, "hex"));
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
