import { describe, expect, test } from "vitest";
import { closeFrame, FrameCursor } from "./websocket-frames.js";

/** A frame of that many bytes of payload, its length in the form that is asked for. */
function frame(length: number, form: 7 | 16 | 64, masked = false): Buffer {
  const mask = masked ? 0x80 : 0;
  const head =
    form === 7
      ? Buffer.from([0x82, mask | length])
      : Buffer.from([0x82, mask | (form === 16 ? 126 : 127), ...Array(form / 8).fill(0)]);
  if (form === 16) head.writeUInt16BE(length, 2);
  if (form === 64) head.writeBigUInt64BE(BigInt(length), 2);
  return Buffer.concat([head, Buffer.alloc(length + (masked ? 4 : 0), 0x88)]);
}

function after(...chunks: Uint8Array[]): FrameCursor {
  const cursor = new FrameCursor();
  for (const chunk of chunks) cursor.take(chunk);
  return cursor;
}

const FRAMES: readonly [string, Buffer][] = [
  ["an empty frame", frame(0, 7)],
  ["an empty masked frame", frame(0, 7, true)],
  ["a short frame", frame(125, 7)],
  ["a masked frame", frame(5, 7, true)],
  ["a frame with a length of 16 bits", frame(300, 16)],
  ["a masked frame with a length of 16 bits", frame(300, 16, true)],
  ["a frame with a length of 64 bits", frame(70_000, 64)],
];

test("nothing has begun at the start", () => {
  expect(new FrameCursor().isBetweenFrames).toBe(true);
});

describe("a cursor is between frames", () => {
  test.each(FRAMES)("right after %s, and nowhere inside it", (_, bytes) => {
    expect(after(bytes).isBetweenFrames).toBe(true);
    expect(after(bytes, bytes).isBetweenFrames).toBe(true);
    for (let cut = 1; cut < Math.min(bytes.length, 400); cut += 1) {
      const cursor = after(bytes, bytes.subarray(0, cut));
      expect(cursor.isBetweenFrames).toBe(false);
      cursor.take(bytes.subarray(cut));
      expect(cursor.isBetweenFrames).toBe(true);
      expect(cursor.sawClose).toBe(false);
    }
  });

  test("though the bytes come one by one", () => {
    const cursor = new FrameCursor();
    for (const byte of Buffer.concat(FRAMES.map(([, bytes]) => bytes))) {
      cursor.take(Uint8Array.of(byte));
    }
    expect(cursor.isBetweenFrames).toBe(true);
  });

  test("never again after a close frame, nor after a length that no frame has", () => {
    const closed = after(closeFrame(1000, "bye", false), frame(1, 7));
    expect([closed.isBetweenFrames, closed.sawClose]).toEqual([false, true]);
    const lost = after(Buffer.from([0x82, 127, ...Array(8).fill(0xff)]), frame(0, 7));
    expect([lost.isBetweenFrames, lost.sawClose]).toEqual([false, false]);
  });
});

describe("a close frame", () => {
  test("of a server is its status and reason", () => {
    expect([...closeFrame(1001, "ok", false)]).toEqual([0x88, 4, 0x03, 0xe9, 0x6f, 0x6b]);
  });

  test("of a client is masked, each time with another mask", () => {
    const frames = [closeFrame(1008, "gone", true), closeFrame(1008, "gone", true)];
    expect(frames.map((bytes) => [bytes[0], bytes[1]])).toEqual([
      [0x88, 0x86],
      [0x88, 0x86],
    ]);
    expect(frames[0]).not.toEqual(frames[1]);
    for (const bytes of frames) {
      const mask = bytes.subarray(2, 6);
      const payload = bytes.subarray(6).map((byte, index) => byte ^ (mask[index % 4] ?? 0));
      expect(Buffer.from(payload).toString("latin1")).toBe("\u0003\u00f0gone");
    }
  });

  test("is never longer than a control frame may be", () => {
    expect(closeFrame(1008, "x".repeat(500), false)).toHaveLength(2 + 125);
  });
});
