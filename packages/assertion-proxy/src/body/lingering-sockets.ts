import type { Socket } from "node:net";
import { linger } from "./linger.js";

const MOST = 256;

/**
 * Connections that linger after a refusal, and that Node's server has let go of: it neither counts nor closes them. Of too many, the oldest
 * one is closed, since a refusal needs no token.
 */
export class LingeringSockets {
  readonly #most: number;
  readonly #open = new Set<Socket>();

  constructor(most = MOST) {
    this.#most = most;
  }

  /** Ends this side of a connection, see {@link linger}. */
  add(socket: Socket): void {
    linger(socket);
    if (socket.destroyed || this.#open.has(socket)) return;
    this.#open.add(socket);
    socket.once("close", () => this.#open.delete(socket));
    if (this.#open.size <= this.#most) return;
    const [oldest] = this.#open;
    if (oldest === undefined) return;
    // At once, and not when it is closed: the next one must find another.
    this.#open.delete(oldest);
    oldest.destroy();
  }

  /** Closes them all. */
  destroy(): void {
    for (const socket of this.#open) socket.destroy();
    this.#open.clear();
  }
}
