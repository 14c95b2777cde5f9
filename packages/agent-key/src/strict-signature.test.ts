import { ED25519_TORSION_SUBGROUP, ed25519 } from "@noble/curves/ed25519.js";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { isStrictSignature } from "./strict-signature.js";

const L = ed25519.Point.Fn.ORDER;

function withScalar(s: bigint): Uint8Array {
  const scalar = Buffer.from(s.toString(16).padStart(64, "0"), "hex").reverse();
  return Buffer.concat([Buffer.alloc(32, 0xff), scalar]);
}

describe("isStrictSignature", () => {
  test.each([L, L + 1n, 2n * L, L | 0xffn, 2n ** 253n, 2n ** 255n, 2n ** 256n - 1n])(
    "rejects S = %d",
    (s) => {
      expect(isStrictSignature(withScalar(s))).toBe(false);
    },
  );

  test.each([0n, 1n, L - 1n, 2n ** 252n, 2n ** 252n - 1n])("takes S = %d", (s) => {
    expect(isStrictSignature(withScalar(s))).toBe(true);
  });

  test("compares as numbers do", () => {
    const near = fc.bigInt({ min: L - 2n ** 20n, max: L + 2n ** 20n });
    fc.assert(
      fc.property(fc.oneof(near, fc.bigInt({ min: 0n, max: 2n ** 256n - 1n })), (s) => {
        expect(isStrictSignature(withScalar(s))).toBe(s < L);
      }),
    );
  });

  test.each(ED25519_TORSION_SUBGROUP)("rejects a first half that is the point %s", (hex) => {
    const signature = Buffer.concat([Buffer.from(hex, "hex"), Buffer.alloc(32)]);
    expect(isStrictSignature(signature)).toBe(false);
    signature[31] = (signature[31] ?? 0) ^ 0x80;
    expect(isStrictSignature(signature)).toBe(false);
    // One bit further off it is another point, or none.
    for (const [byte, bit] of [
      [0, 0x40],
      [15, 1],
      [31, 0x20],
    ] as const) {
      const other = Uint8Array.from(signature);
      other[byte] = (other[byte] ?? 0) ^ bit;
      expect(isStrictSignature(other)).toBe(true);
    }
  });

  test.each([0, 32, 63, 65, 128])("rejects %d bytes", (length) => {
    expect(isStrictSignature(new Uint8Array(length))).toBe(false);
  });
});
