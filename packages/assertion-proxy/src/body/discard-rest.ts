import type { IncomingMessage } from "node:http";

// What is cheaper to read than to break a connection for.
const MAX_BYTES = 1_048_576;
const MAX_MS = 5_000;

/**
 * Reads the rest of a body that nobody wants, after its request was answered, so that the client gets to read the answer and may use the
 * connection again. Past 1 MiB or 5 s the connection is destroyed.
 */
export function discardRest(request: IncomingMessage): void {
  if (request.complete) {
    request.resume();
    return;
  }
  const { socket } = request;
  let left = MAX_BYTES;
  const timer = setTimeout(() => socket.destroy(), MAX_MS);
  timer.unref();
  request.on("data", (chunk: Buffer) => {
    left -= chunk.length;
    if (left < 0) socket.destroy();
  });
  request.once("close", () => clearTimeout(timer));
  request.resume();
  // Marks it as read from now on, or Node's server dumps what follows before it is counted.
  request.read(0);
}
