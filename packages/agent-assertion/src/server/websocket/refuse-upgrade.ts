import { type IncomingMessage, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { answerRefusal } from "../answer-refusal.js";

// For the answer to arrive, and for the client to end its side.
const FAREWELL_MS = 1_000;

/**
 * Answers an upgrade that was not accepted on its own socket, which Node's server has let go of, and ends the connection: bytes for the other protocol may
 * already be under way.
 */
export function refuseUpgrade(request: IncomingMessage, socket: Duplex, error: unknown): void {
  if (!socket.writable) {
    socket.destroy();
    return;
  }
  const farewell = setTimeout(() => socket.destroy(), FAREWELL_MS);
  farewell.unref();
  socket.once("close", () => clearTimeout(farewell));
  const response = new ServerResponse(request);
  response.shouldKeepAlive = false;
  // Node's server gives a stream of another kind only if the program had it do so.
  response.assignSocket(socket as Socket);
  response.once("finish", () => {
    response.detachSocket(socket as Socket);
    socket.end();
    // Unread bytes would turn the end of the connection into a reset, and the answer could be lost.
    socket.resume();
  });
  answerRefusal(response, error);
}
