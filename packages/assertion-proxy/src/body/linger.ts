import type { Socket } from "node:net";

/** How long a {@link linger} goes on. */
export interface LingerBounds {
  /** Bytes that are read. */
  readonly maxBytes: number;
  /** Milliseconds in all. */
  readonly maxMs: number;
  /** Milliseconds in which nothing is read. */
  readonly idleMs: number;
}

// Enough for a body that a client sends whole before it reads: a long prompt with its images, a file.
const BOUNDS: LingerBounds = { maxBytes: 67_108_864, maxMs: 30_000, idleMs: 5_000 };

const NOTHING = new Uint8Array(0);

const lingering = new WeakSet<object>();

/** Returns whether {@link linger} was called for a client's connection: no request on it is answered any more. */
export function isLingering(socket: object): boolean {
  return lingering.has(socket);
}

/**
 * Ends this side of a client's connection once all of the answer is written, and reads on until the client ends its side. If the connection
 * were closed with unread bytes, it would be reset, and a client that is still sending could lose the answer. The bytes that are read are
 * dropped, and no parser sees them. If the bounds are exceeded, the connection is reset.
 *
 * @see RFC 9112 §9.6
 */
export function linger(socket: Socket, bounds: LingerBounds = BOUNDS): void {
  if (lingering.has(socket) || socket.destroyed) return;
  lingering.add(socket);
  const reset = (): void => void socket.destroy();
  const longest = setTimeout(reset, bounds.maxMs);
  const idle = setTimeout(reset, bounds.idleMs);
  longest.unref();
  idle.unref();
  let left = bounds.maxBytes;
  socket.on("error", () => {});
  socket.once("close", () => {
    clearTimeout(longest);
    clearTimeout(idle);
  });
  socket.removeAllListeners("data");
  socket.on("data", (chunk: Buffer) => {
    idle.refresh();
    left -= chunk.length;
    if (left < 0) reset();
  });
  socket.end();
  // Node's server may have stopped the reading of a connection that its parser feeds on, and the stream does not know.
  if (!socket.readableEnded) socket.push(NOTHING);
  socket.resume();
}
