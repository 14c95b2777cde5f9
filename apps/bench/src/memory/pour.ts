import type { Writable } from "node:stream";

const PIECE = Buffer.alloc(65_536, 7);

/** Writes that many bytes, as fast as the other side takes them, and ends. */
export function pour(to: Writable, bytes: number): void {
  let left = bytes;
  const go = (): void => {
    while (left > 0) {
      const piece = left < PIECE.length ? PIECE.subarray(0, left) : PIECE;
      left -= piece.length;
      if (!to.write(piece)) return;
    }
    to.off("drain", go);
    to.end();
  };
  to.on("drain", go);
  go();
}
