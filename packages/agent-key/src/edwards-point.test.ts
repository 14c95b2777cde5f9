import { propertyRuns } from "@countersign/testing/effort";
import { ED25519_TORSION_SUBGROUP, ed25519 } from "@noble/curves/ed25519.js";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { isSoundPublicKey } from "./edwards-point.js";

const P = 2n ** 255n - 19n;

function encode(y: bigint, sign: 0 | 1 = 0): Uint8Array {
  const bytes = Uint8Array.from({ length: 32 }, (_, i) => Number((y >> BigInt(8 * i)) & 0xffn));
  bytes[31] = (bytes[31] ?? 0) | (sign << 7);
  return bytes;
}

// The independent opinion: strict decoding (RFC 8032 §5.1.3) by @noble/curves, then the order of the point.
function nobleAccepts(bytes: Uint8Array): boolean {
  try {
    return !ed25519.Point.fromBytes(bytes).isSmallOrder();
  } catch {
    return false;
  }
}

describe("isSoundPublicKey", () => {
  test.each(ED25519_TORSION_SUBGROUP)("rejects the point of small order %s (G-K2)", (hex) => {
    const bytes = Buffer.from(hex, "hex");
    expect(isSoundPublicKey(bytes)).toBe(false);
    bytes[31] = (bytes[31] ?? 0) ^ 0x80;
    expect(isSoundPublicKey(bytes)).toBe(false);
  });

  test("rejects every y that is not canonical, with either sign", () => {
    for (let y = P; y < 2n ** 255n; y += 1n) {
      expect(isSoundPublicKey(encode(y))).toBe(false);
      expect(isSoundPublicKey(encode(y, 1))).toBe(false);
    }
  });

  test("agrees with @noble/curves on the y around 0, p and 2^255", () => {
    for (const middle of [0n, P, 2n ** 255n]) {
      for (let y = middle - 30n; y <= middle + 30n; y += 1n) {
        if (y < 0n || y >= 2n ** 255n) continue;
        for (const sign of [0, 1] as const) {
          expect(isSoundPublicKey(encode(y, sign))).toBe(nobleAccepts(encode(y, sign)));
        }
      }
    }
  });

  test("agrees with @noble/curves on random bytes", () => {
    const bytes = fc.uint8Array({ minLength: 32, maxLength: 32 });
    fc.assert(
      fc.property(bytes, (candidate) => {
        expect(isSoundPublicKey(candidate)).toBe(nobleAccepts(candidate));
      }),
      { numRuns: propertyRuns(300) },
    );
  });

  test("agrees with @noble/curves on random points, with a torsion part too", () => {
    const scalar = fc.bigInt({ min: 1n, max: ed25519.Point.Fn.ORDER - 1n });
    const torsion = fc.constantFrom(...ED25519_TORSION_SUBGROUP);
    fc.assert(
      fc.property(scalar, torsion, (factor, hex) => {
        const point = ed25519.Point.BASE.multiply(factor).add(ed25519.Point.fromHex(hex));
        expect(nobleAccepts(point.toBytes())).toBe(true);
        expect(isSoundPublicKey(point.toBytes())).toBe(true);
      }),
      { numRuns: propertyRuns(100) },
    );
  });

  test.each([0, 31, 33, 64])("rejects %d bytes, even if 32 of them are a key", (length) => {
    const key = ed25519.Point.BASE.toBytes();
    expect(isSoundPublicKey(key)).toBe(true);
    expect(isSoundPublicKey(Buffer.concat([key, key]).subarray(0, length))).toBe(false);
  });
});
