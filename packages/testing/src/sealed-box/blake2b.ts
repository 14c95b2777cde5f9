// BLAKE2b (RFC 7693), unkeyed, for inputs up to one block. Written out here so that the test authority shares no code with what it tests.
const MASK = (1n << 64n) - 1n;
const IV = [
  0x6a09e667f3bcc908n,
  0xbb67ae8584caa73bn,
  0x3c6ef372fe94f82bn,
  0xa54ff53a5f1d36f1n,
  0x510e527fade682d1n,
  0x9b05688c2b3e6c1fn,
  0x1f83d9abfb41bd6bn,
  0x5be0cd19137e2179n,
] as const;
const SIGMA = [
  [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15],
  [14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3],
  [11, 8, 12, 0, 5, 2, 15, 13, 10, 14, 3, 6, 7, 1, 9, 4],
  [7, 9, 3, 1, 13, 12, 11, 14, 2, 6, 5, 10, 4, 0, 15, 8],
  [9, 0, 5, 7, 2, 4, 10, 15, 14, 1, 11, 12, 6, 8, 3, 13],
  [2, 12, 6, 10, 0, 11, 8, 3, 4, 13, 7, 5, 15, 14, 1, 9],
  [12, 5, 1, 15, 14, 13, 4, 10, 0, 7, 6, 3, 9, 2, 8, 11],
  [13, 11, 7, 14, 12, 1, 3, 9, 5, 0, 15, 4, 8, 6, 2, 10],
  [6, 15, 14, 9, 11, 3, 0, 8, 12, 2, 13, 7, 1, 4, 10, 5],
  [10, 2, 8, 4, 7, 6, 1, 5, 15, 11, 9, 14, 3, 12, 13, 0],
] as const;
const COLUMNS = [
  [0, 4, 8, 12],
  [1, 5, 9, 13],
  [2, 6, 10, 14],
  [3, 7, 11, 15],
  [0, 5, 10, 15],
  [1, 6, 11, 12],
  [2, 7, 8, 13],
  [3, 4, 9, 14],
] as const;

/** BLAKE2b of at most 128 bytes, with a digest of `digestBytes` (1 to 64). */
export function blake2b(message: Uint8Array, digestBytes: number): Uint8Array {
  if (message.length > 128) throw new RangeError("one block only");
  const block = Buffer.alloc(128);
  block.set(message);
  const m = Array.from({ length: 16 }, (_, i) => block.readBigUInt64LE(i * 8));
  const h: bigint[] = [...IV];
  h[0] = IV[0] ^ 0x01010000n ^ BigInt(digestBytes);
  const v: bigint[] = [...h, ...IV];
  v[12] = IV[4] ^ BigInt(message.length);
  v[14] = IV[6] ^ MASK;
  for (let round = 0; round < 12; round += 1) {
    const s = SIGMA[round % 10] ?? SIGMA[0];
    COLUMNS.forEach(([a, b, c, d], i) => {
      mix(v, a, b, c, d, m[s[2 * i] ?? 0] ?? 0n, m[s[2 * i + 1] ?? 0] ?? 0n);
    });
  }
  const out = Buffer.alloc(64);
  h.forEach((word, i) => {
    out.writeBigUInt64LE(word ^ (v[i] ?? 0n) ^ (v[i + 8] ?? 0n), i * 8);
  });
  return Uint8Array.from(out.subarray(0, digestBytes));
}

function mix(v: bigint[], a: number, b: number, c: number, d: number, x: bigint, y: bigint): void {
  const at = (i: number): bigint => v[i] ?? 0n;
  v[a] = (at(a) + at(b) + x) & MASK;
  v[d] = rotateRight(at(d) ^ at(a), 32n);
  v[c] = (at(c) + at(d)) & MASK;
  v[b] = rotateRight(at(b) ^ at(c), 24n);
  v[a] = (at(a) + at(b) + y) & MASK;
  v[d] = rotateRight(at(d) ^ at(a), 16n);
  v[c] = (at(c) + at(d)) & MASK;
  v[b] = rotateRight(at(b) ^ at(c), 63n);
}

function rotateRight(word: bigint, bits: bigint): bigint {
  return ((word >> bits) | (word << (64n - bits))) & MASK;
}
