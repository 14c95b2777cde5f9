import type { IncomingMessage } from "node:http";

const bodies = new WeakMap<IncomingMessage, Uint8Array>();

/** Keeps the bytes of a request's body beside what they were parsed to: a digest is over bytes. */
export function keepRawBody(request: IncomingMessage, body: Uint8Array): void {
  bodies.set(request, body);
}

/** The bytes of the request's body; none when it had none. */
export function rawBodyOf(request: IncomingMessage): Uint8Array {
  return bodies.get(request) ?? new Uint8Array();
}
