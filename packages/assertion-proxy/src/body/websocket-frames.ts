import { randomBytes } from "node:crypto";

const CLOSE = 0x8;
const FIN = 0x80;
const MASKED = 0x80;
const LENGTH_16 = 126;
const LENGTH_64 = 127;
// RFC 6455 §5.5: what a control frame may carry, two bytes of it for the status.
const MAX_REASON_BYTES = 123;

/**
 * Follows the frames of one direction of a WebSocket without looking into them: where each ends, and whether one was a close frame. So it
 * is known when a frame of one's own would be read as a frame.
 *
 * @see RFC 6455 §5.2
 */
export class FrameCursor {
  readonly #head = Buffer.alloc(10);
  #headLength = 0;
  #payloadLeft = 0;
  #isLost = false;
  #sawClose = false;

  /** A close frame went by; no frame may follow it. */
  get sawClose(): boolean {
    return this.#sawClose;
  }

  /** Whether the next byte begins a frame, and one may be sent. */
  get isBetweenFrames(): boolean {
    return !this.#isLost && !this.#sawClose && this.#headLength === 0 && this.#payloadLeft === 0;
  }

  /** Goes on over the next bytes of the direction. */
  take(chunk: Uint8Array): void {
    let at = 0;
    while (at < chunk.length && !this.#isLost && !this.#sawClose) {
      if (this.#payloadLeft > 0) {
        const step = Math.min(this.#payloadLeft, chunk.length - at);
        this.#payloadLeft -= step;
        at += step;
      } else {
        this.#takeHeadByte(chunk[at] ?? 0);
        at += 1;
      }
    }
  }

  #takeHeadByte(byte: number): void {
    this.#head[this.#headLength] = byte;
    this.#headLength += 1;
    const [first = 0, second = 0] = this.#head;
    const short = second & ~MASKED;
    const lengthBytes = short === LENGTH_64 ? 8 : short === LENGTH_16 ? 2 : 0;
    if (this.#headLength < 2 + lengthBytes) return;
    const length = lengthBytes === 0 ? short : this.#longLength(lengthBytes);
    // RFC 6455 has no such frame, so these bytes are not followed any more.
    if (!Number.isSafeInteger(length)) this.#isLost = true;
    if ((first & 0x0f) === CLOSE) this.#sawClose = true;
    this.#payloadLeft = length + (second & MASKED ? 4 : 0);
    this.#headLength = 0;
  }

  #longLength(bytes: number): number {
    return bytes === 2 ? this.#head.readUInt16BE(2) : Number(this.#head.readBigUInt64BE(2));
  }
}

/**
 * Makes a close frame.
 *
 * @param status - as RFC 6455 §7.4 defines them
 * @param reason - visible ASCII, cut at 123 bytes
 * @param masked - true towards a server
 * @see RFC 6455 §5.5.1
 */
export function closeFrame(status: number, reason: string, masked: boolean): Buffer {
  const text = Buffer.from(reason).subarray(0, MAX_REASON_BYTES);
  const payload = Buffer.alloc(2 + text.length);
  payload.writeUInt16BE(status);
  text.copy(payload, 2);
  const head = [FIN | CLOSE, payload.length | (masked ? MASKED : 0)];
  if (!masked) return Buffer.concat([Buffer.from(head), payload]);
  const mask = randomBytes(4);
  for (const [index, byte] of payload.entries()) payload[index] = byte ^ (mask[index % 4] ?? 0);
  return Buffer.concat([Buffer.from(head), mask, payload]);
}
