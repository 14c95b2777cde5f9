// Salsa20 and HSalsa20 (D. J. Bernstein, "Extending the Salsa20 nonce").
const SIGMA = Buffer.from("expand 32-byte k");
const QUARTERS = [
  [0, 4, 8, 12],
  [5, 9, 13, 1],
  [10, 14, 2, 6],
  [15, 3, 7, 11],
  [0, 1, 2, 3],
  [5, 6, 7, 4],
  [10, 11, 8, 9],
  [15, 12, 13, 14],
] as const;

/** HSalsa20: 32 bytes of key and 16 bytes of input give 32 bytes. */
export function hsalsa20(key: Uint8Array, input: Uint8Array): Uint8Array {
  const words = rounds(state(key, input));
  const out = Buffer.alloc(32);
  [0, 5, 10, 15, 6, 7, 8, 9].forEach((word, i) => {
    out.writeUInt32LE(words[word] ?? 0, i * 4);
  });
  return Uint8Array.from(out);
}

/** The first `length` bytes of the XSalsa20 key stream for a nonce of 24 bytes. */
export function xsalsa20Stream(key: Uint8Array, nonce: Uint8Array, length: number): Uint8Array {
  const subkey = hsalsa20(key, nonce.subarray(0, 16));
  const input = Buffer.alloc(16);
  input.set(nonce.subarray(16, 24));
  const out = Buffer.alloc(Math.ceil(length / 64) * 64);
  for (let block = 0; block * 64 < length; block += 1) {
    input.writeUInt32LE(block, 8);
    const start = state(subkey, input);
    const words = rounds(start);
    words.forEach((word, i) => {
      out.writeUInt32LE((word + (start[i] ?? 0)) >>> 0, block * 64 + i * 4);
    });
  }
  return Uint8Array.from(out.subarray(0, length));
}

function state(key: Uint8Array, input: Uint8Array): Uint32Array {
  const k = Buffer.from(key);
  const n = Buffer.from(input);
  const c = (i: number) => SIGMA.readUInt32LE(i * 4);
  const a = (i: number) => k.readUInt32LE(i * 4);
  const b = (i: number) => n.readUInt32LE(i * 4);
  return Uint32Array.from([
    c(0),
    ...[0, 1, 2, 3].map(a),
    c(1),
    ...[0, 1, 2, 3].map(b),
    c(2),
    ...[4, 5, 6, 7].map(a),
    c(3),
  ]);
}

function rounds(start: Uint32Array): Uint32Array {
  const x = Uint32Array.from(start);
  for (let round = 0; round < 10; round += 1) {
    for (const [a, b, c, d] of QUARTERS) {
      step(x, b, a, d, 7);
      step(x, c, b, a, 9);
      step(x, d, c, b, 13);
      step(x, a, d, c, 18);
    }
  }
  return x;
}

function step(x: Uint32Array, target: number, a: number, b: number, bits: number): void {
  const sum = ((x[a] ?? 0) + (x[b] ?? 0)) >>> 0;
  x[target] = (x[target] ?? 0) ^ ((sum << bits) | (sum >>> (32 - bits)));
}
