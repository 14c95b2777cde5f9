import type { IncomingMessage } from "node:http";
import { fieldValues } from "../head/raw-fields.js";
import { linger } from "./linger.js";

// What is cheaper to read than to open another connection for.
const KEPT_BYTES = 1_048_576;
const KEPT_MS = 5_000;

/**
 * Tells whether an answer that begins now is the last of its connection, since the rest of its request's body is long or without a known
 * length: a client that may use the connection again would begin its next request while this side ends.
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
 * Reads the rest of a body that nobody wants, after its request was answered, so that the client gets to read the answer, and may use the
 * connection again if the rest is short. Past 1 MiB or 5 s, or if the answer was the connection's last, this side of it ends, see
 * {@link linger}.
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
