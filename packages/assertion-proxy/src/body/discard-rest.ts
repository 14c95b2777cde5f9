import type { IncomingMessage } from "node:http";
import { fieldValues } from "../head/raw-fields.js";
import { linger } from "./linger.js";

// Reading a rest of this length is cheaper than opening another connection.
const KEPT_BYTES = 1_048_576;
const KEPT_MS = 5_000;

/**
 * Returns whether an answer that begins now must be the last of its connection. It must be if the rest of the request's body is long or of
 * unknown length: otherwise the client could begin its next request on this connection while the proxy ends it.
 */
export function endsWithEarlyAnswer({
  complete,
  rawHeaders,
}: Pick<IncomingMessage, "complete" | "rawHeaders">): boolean {
  if (complete) return false;
  // Not `headers`: Node makes them when they are first read, and throws if lines were taken out of `rawHeaders` by then.
  if (fieldValues(rawHeaders, "transfer-encoding").length > 0) return true;
  return fieldValues(rawHeaders, "content-length").some((length) => Number(length) > KEPT_BYTES);
}

/**
 * Reads and drops the rest of a body after its request was answered, so that the client reads the answer. If the rest is short, the client
 * may use the connection again. After 1 MiB or 5 s, or if the answer was the connection's last, the proxy ends its side of the connection:
 * see {@link linger}.
 */
export function discardRest(request: IncomingMessage): void {
  if (request.complete) {
    request.resume();
    return;
  }
  const { socket } = request;
  const end = (): void => linger(socket);
  // Node's server calls it after a last answer, whether or not something is left to read.
  socket.destroySoon = end;
  let left = KEPT_BYTES;
  const timer = setTimeout(end, KEPT_MS);
  timer.unref();
  request.on("data", (chunk: Buffer) => {
    left -= chunk.length;
    if (left < 0) end();
  });
  request.once("close", () => {
    clearTimeout(timer);
    Reflect.deleteProperty(socket, "destroySoon");
  });
  request.resume();
  // Marks it as read from now on, or Node's server dumps what follows before it is counted.
  request.read(0);
}
