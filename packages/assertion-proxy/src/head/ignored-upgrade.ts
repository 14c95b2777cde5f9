import type { IncomingMessage } from "node:http";
import { fieldLines } from "./raw-fields.js";

/**
 * Writes a request again for a parser that has not seen it, as if its client had offered no other protocol: the head without `Upgrade`, and
 * then what came behind it. Never longer than what arrived, so that the limit of a head holds as before.
 *
 * Node's server lets go of a connection on which another protocol is offered, and reads no body.
 *
 * @param request - of a server that drops no fields (`maxHeadersCount` 0): without `Content-Length`, the body would be read as another request
 * @param early - what came behind the head with the same packet
 * @see RFC 9110 §7.8
 */
export function withoutUpgrade(request: IncomingMessage, early: Buffer): Buffer {
  const { method = "", url = "", httpVersion, rawHeaders } = request;
  const lines = [`${method} ${url} HTTP/${httpVersion}`];
  for (const { name, rawName, value } of fieldLines(rawHeaders)) {
    if (name !== "upgrade") lines.push(`${rawName}:${value}`);
  }
  return Buffer.concat([Buffer.from(`${lines.join("\r\n")}\r\n\r\n`, "latin1"), early]);
}
