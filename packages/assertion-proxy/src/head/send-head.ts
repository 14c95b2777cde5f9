import type { OutgoingMessage } from "node:http";
import type { Writable } from "node:stream";

const NOTHING = new Uint8Array(0);

/**
 * Sends a message's head at once, before there is anything of its body; where there can be none, it goes with the message's end. Node's
 * own `flushHeaders` writes it as UTF-8, which turns each byte beyond ASCII into two.
 *
 * The part of the body that was already read leaves with it, see {@link writeTogether}.
 */
export function sendHead(message: OutgoingMessage): void {
  if (message.socket !== null) writeTogether(message.socket);
  message.write(NOTHING);
}

/**
 * Makes one write to a connection of all that is written to it before the event loop goes on: a write costs most of a small
 * message. Waits for nothing that was not read yet.
 */
export function writeTogether(socket: Writable): void {
  socket.cork();
  // After the ticks in which streams hand on what they hold.
  queueMicrotask(() => socket.uncork());
}

/** Renders a head for a connection that Node's server has let go of. Goes out as latin1: one byte for each character. */
export function renderHead(status: number, reason: string, fields: readonly string[]): string {
  const lines = [`HTTP/1.1 ${status} ${reason}`];
  for (let index = 0; index + 1 < fields.length; index += 2) {
    lines.push(`${fields[index]}: ${fields[index + 1]}`);
  }
  return `${lines.join("\r\n")}\r\n\r\n`;
}
