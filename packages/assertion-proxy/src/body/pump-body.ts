import type { Readable, Writable } from "node:stream";

/** Called by {@link pumpBody}. */
export interface PumpEvents {
  /** Bytes went from one side to the other, or the receiving side caught up (0 bytes). */
  readonly onProgress: (bytes: number) => void;
  /** The whole body was read. The receiving side is still open, for trailers. */
  readonly onEnd: () => void;
}

/**
 * Moves a body on as it comes, each piece at once, and holds the sender back while the receiver is full.
 *
 * @returns a function that stops it and leaves both sides as they are
 */
export function pumpBody(from: Readable, to: Writable, events: PumpEvents): () => void {
  const onData = (chunk: Buffer): void => {
    events.onProgress(chunk.length);
    if (!stopped && !to.write(chunk)) from.pause();
  };
  const onDrain = (): void => {
    events.onProgress(0);
    from.resume();
  };
  const onEnd = (): void => {
    stop();
    events.onEnd();
  };
  let stopped = false;
  const stop = (): void => {
    stopped = true;
    from.off("data", onData).off("end", onEnd);
    to.off("drain", onDrain);
  };
  from.on("data", onData).on("end", onEnd);
  to.on("drain", onDrain);
  return stop;
}
