import { type IncomingMessage, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import type { LingeringSockets } from "../body/lingering-sockets.js";

// A client has nothing to say before it is answered; what it says all the same waits here.
const MAX_EARLY_BYTES = 65_536;

/**
 * The connection of a request for an upgrade. Node's server has let go of it: this answers on it, once, or hands it over to a tunnel. An
 * answer ends the connection, since bytes that the client sent for the other protocol may already be under way.
 */
export class UpgradeConnection {
  readonly socket: Socket;
  /** For an answer; of no use after {@link UpgradeConnection.release}. */
  readonly response: ServerResponse;
  readonly #lingering: LingeringSockets;
  readonly #early: Buffer[] = [];
  #earlyBytes = 0;

  /**
   * @param early - what came behind the head with the same packet
   * @param lingering - takes the connection after an answer
   */
  constructor(
    request: IncomingMessage,
    socket: Socket,
    early: Buffer,
    lingering: LingeringSockets,
  ) {
    this.socket = socket;
    this.#lingering = lingering;
    this.response = new ServerResponse(request);
    this.response.shouldKeepAlive = false;
    this.response.assignSocket(socket);
    this.response.once("finish", this.#onAnswered);
    this.#keep(early);
    socket.on("error", () => {});
    socket.on("drain", this.#onDrain);
    socket.on("data", this.#keep);
    socket.on("end", this.#onEnd);
  }

  /** Gives the connection up, with every byte that came early back in it. */
  release(): void {
    const { socket, response } = this;
    response.off("finish", this.#onAnswered);
    response.detachSocket(socket);
    socket.off("drain", this.#onDrain).off("data", this.#keep).off("end", this.#onEnd);
    socket.pause();
    if (this.#earlyBytes > 0) socket.unshift(Buffer.concat(this.#early));
  }

  // The server did this before it let go.
  readonly #onDrain = (): void => {
    this.response.emit("drain");
  };

  readonly #keep = (chunk: Buffer): void => {
    this.#early.push(chunk);
    this.#earlyBytes += chunk.length;
    if (this.#earlyBytes > MAX_EARLY_BYTES) this.socket.pause();
  };

  // As for any request: a client that ends its side before it is answered went away.
  readonly #onEnd = (): void => {
    this.socket.destroy();
  };

  readonly #onAnswered = (): void => {
    const { socket } = this;
    this.response.detachSocket(socket);
    socket.off("data", this.#keep);
    this.#early.length = 0;
    this.#lingering.add(socket);
  };
}
