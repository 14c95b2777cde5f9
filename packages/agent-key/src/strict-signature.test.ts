import { ed25519 } from "@noble/curves/ed25519.js";
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

  test.each([0, 32, 63, 65, 128])("rejects %d bytes", (length) => {
    expect(isStrictSignature(new Uint8Array(length))).toBe(false);
  });
});
