import { Socket } from "node:net";

const GONE: ReadonlySet<unknown> = new Set(["EPIPE", "ECONNRESET"]);

type Done = (error?: Error | null) => void;

/**
 * Makes a connection fail for a peer that takes no more bytes only once what the peer sent was read. A server that refuses a body may
 * answer before it has read it, and close; Node would drop the answer, unread, with the first write that fails.
 *
 * @see RFC 9112 §9.5
 */
export function readAnswerFirst(socket: Socket): void {
  const later =
    (done: Done): Done =>
    (error) => {
      if (!isGone(error) || socket.readableEnded || socket.destroyed) done(error);
      else socket.once("end", () => done(error));
    };
  socket._write = (chunk, encoding, done) =>
    Socket.prototype._write.call(socket, chunk, encoding, later(done));
  socket._writev = (chunks, done) => Socket.prototype._writev?.call(socket, chunks, later(done));
}

function isGone(error: (Error & { readonly code?: unknown }) | null | undefined): boolean {
  return GONE.has(error?.code);
}
