import { createHash } from "node:crypto";
import { expect, test } from "vitest";
import { blake2b } from "./blake2b.js";
import { poly1305 } from "./poly1305.js";
import { seal, toX25519, unseal } from "./seal.js";

// Made with libsodium for the Ed25519 seed of 32 bytes 0x07.
const ED25519 = Buffer.from("6kpsY+KcUgq+9VB7Ey7F+ZVHdq6+vnuSQh7qaRRG0iw=", "base64");
const X25519_SECRET = Buffer.from(
  "28ad39fefd7fa3e200a9c626eef599e61a2d055c48a8288a4e7e4c4bca392878",
  "hex",
);
const X25519_PUBLIC = "761d88ec830413919dfe9d4d1d56f17e653c8c994082df5b137b90a0ae6edf74";
const SEALED = Buffer.from(
  "5Wa45WkJuyyhkUNrMkLdwJifHFhPikGsmpWdp43dwWaQH//NbMrt4rghYVVgOGVLNcnjFov6pik=",
  "base64",
);

test("does not open a box of libsodium in which one bit was changed", () => {
  for (const at of [0, 31, 32, 47, 48, 55]) {
    const changed = Uint8Array.from(SEALED);
    changed[at] = (changed[at] ?? 0) ^ 1;
    expect(unseal(changed, X25519_SECRET)).toBeUndefined();
  }
  expect(unseal(SEALED.subarray(0, 47), X25519_SECRET)).toBeUndefined();
});

test("opens a box of libsodium", () => {
  expect(Buffer.from(unseal(SEALED, X25519_SECRET) ?? []).toString()).toBe("task_123");
});

test("opens what it sealed, also over several blocks", () => {
  const recipient = Buffer.from(X25519_PUBLIC, "hex");
  for (const length of [0, 1, 31, 32, 33, 64, 200]) {
    const message = Buffer.alloc(length, "x");
    const box = seal(message, recipient);
    expect(box.length).toBe(48 + length);
    expect(Buffer.from(unseal(box, X25519_SECRET) ?? [1]).equals(message)).toBe(true);
  }
});

test("maps an Ed25519 public key to the X25519 key that libsodium gives", () => {
  expect(Buffer.from(toX25519(ED25519)).toString("hex")).toBe(X25519_PUBLIC);
});

test("BLAKE2b agrees with OpenSSL's on 64 bytes of digest", () => {
  for (const length of [0, 1, 64, 127, 128]) {
    const message = Buffer.alloc(length, length);
    expect(Buffer.from(blake2b(message, 64)).toString("hex")).toBe(
      createHash("blake2b512").update(message).digest("hex"),
    );
  }
});

test("Poly1305 gives the tag of RFC 8439 §2.5.2", () => {
  const key = Buffer.from(
    "85d6be7857556d337f4452fe42d506a80103808afb0db2fd4abff6af4149f51b",
    "hex",
  );
  const tag = poly1305(Buffer.from("Cryptographic Forum Research Group"), key);
  expect(Buffer.from(tag).toString("hex")).toBe("a8061dc1305136c6c22b8baf0c0127a9");
});
