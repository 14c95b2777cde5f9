import { createHash } from "node:crypto";
import type { VectorKey } from "./vector-keys.js";

// What OpenSSL does not do: points that no private key has, and signatures that no signer makes (RFC 8032 §5.1).
const P = 2n ** 255n - 19n;
const L = 2n ** 252n + 27742317777372353535851937790883648493n;
const D = mod(-121665n * inverse(121666n));
const ROOT_OF_MINUS_1 = power(2n, (P - 1n) / 4n);

/** A point of the curve. */
export interface Point {
  readonly x: bigint;
  readonly y: bigint;
}

/** The point of order 1. */
export const IDENTITY: Point = { x: 0n, y: 1n };

/** A point of order 8. */
export const ORDER_8 = decodePoint(
  Buffer.from("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05", "hex"),
);

/** The sum of two points. */
export function addPoints(a: Point, b: Point): Point {
  const k = mod(D * a.x * b.x * a.y * b.y);
  return {
    x: mod((a.x * b.y + b.x * a.y) * inverse(1n + k)),
    y: mod((a.y * b.y + a.x * b.x) * inverse(1n - k)),
  };
}

/** The point that 32 bytes name. */
export function decodePoint(bytes: Buffer): Point {
  const number = BigInt(`0x${Buffer.from(bytes).reverse().toString("hex")}`);
  const y = number & (2n ** 255n - 1n);
  const x = rootOf(mod((y * y - 1n) * inverse(D * y * y + 1n)));
  return { x: (x & 1n) === number >> 255n ? x : mod(-x), y };
}

/** The 32 bytes of a point; also of `y` of P or more, which no encoder writes. */
export function encodePoint({ x, y }: Point): Buffer {
  const number = y + ((x & 1n) << 255n);
  return Buffer.from(number.toString(16).padStart(64, "0"), "hex").reverse();
}

/** The least `y` of a point of more than small order whose bytes can also be written with `y + P`. */
export function smallestY(): Point {
  for (let y = 2n; y < 19n; y += 1n) {
    const square = mod((y * y - 1n) * inverse(D * y * y + 1n));
    if (power(square, (P - 1n) / 2n) === 1n) return { x: rootOf(square), y };
  }
  throw new Error("no such point");
}

/** The number that a challenge is: SHA-512 over both points and the text, modulo L. */
export function challengeOf(r: Buffer, publicKey: Buffer, text: string): bigint {
  const hash = createHash("sha512").update(r).update(publicKey).update(text, "utf8").digest();
  return BigInt(`0x${hash.reverse().toString("hex")}`) % L;
}

/** The secret number of a key. */
export function scalarOf(key: VectorKey): bigint {
  const half = createHash("sha512").update(key.seed).digest().subarray(0, 32);
  const number = BigInt(`0x${Buffer.from(half).reverse().toString("hex")}`);
  return (number & (2n ** 254n - 8n)) | (2n ** 254n);
}

/** A signature with this first half, whose secret number is `nonce`. */
export function signatureOf(
  first: Buffer,
  nonce: bigint,
  challenge: bigint,
  key: VectorKey,
): Buffer {
  const s = (nonce + challenge * scalarOf(key)) % L;
  const second = Buffer.from(s.toString(16).padStart(64, "0"), "hex").reverse();
  return Buffer.concat([first, second]);
}

/** The order of the base point. */
export const GROUP_ORDER = L;

/** P: what a `y` that is not canonical exceeds its own by. */
export const FIELD = P;

function rootOf(square: bigint): bigint {
  const root = power(square, (P + 3n) / 8n);
  return mod(root * root) === square ? root : mod(root * ROOT_OF_MINUS_1);
}

function mod(number: bigint): bigint {
  return ((number % P) + P) % P;
}

function inverse(number: bigint): bigint {
  return power(mod(number), P - 2n);
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
