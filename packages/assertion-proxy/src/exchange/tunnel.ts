import type { Socket } from "node:net";
import type { Code } from "@countersign/agent-key";
import { pumpBody } from "../body/pump-body.js";
import { Watchdog } from "../body/watchdog.js";
import { closeFrame, FrameCursor } from "../body/websocket-frames.js";

/** Options of {@link Tunnel}. */
export interface TunnelOptions {
  readonly client: Socket;
  readonly upstream: Socket;
  /** Milliseconds after which the tunnel is ended if no byte moved in either direction. */
  readonly idleMs: number;
  /** Called with the number of bytes that went from one side to the other. */
  readonly onBytes?: ((from: "client" | "upstream", bytes: number) => void) | undefined;
  /** Called once both sides are closed, with the code if the tunnel did not end by itself. */
  readonly onEnd: (code: Code | undefined) => void;
}

// For the close frames to leave, and for a side to say goodbye.
const FAREWELL_MS = 1_000;
// A side that vanished without a word is noticed by the kernel's probes, long before the idle limit.
const PROBE_AFTER_MS = 60_000;
const POLICY_VIOLATION = 1008;
const GOING_AWAY = 1001;
const GOING_AWAY_CODES: ReadonlySet<Code> = new Set<Code>(["server_error", "timeout"]);

/**
 * Joins two connections on which a WebSocket was opened: bytes as they come, each side at the pace of the other, and the end of one side's
 * bytes as the end of the other's. Frames are followed, never changed.
 */
export class Tunnel {
  readonly #options: TunnelOptions;
  readonly #watchdog: Watchdog;
  readonly #toClient = new FrameCursor();
  readonly #toUpstream = new FrameCursor();
  readonly #stops: (() => void)[] = [];
  #farewell: NodeJS.Timeout | undefined;
  #code: Code | undefined;
  #isEnding = false;

  constructor(options: TunnelOptions) {
    this.#options = options;
    this.#watchdog = new Watchdog(() => this.end("timeout"));
  }

  start(): void {
    const { client, upstream, idleMs } = this.#options;
    for (const socket of [client, upstream]) {
      socket.on("error", () => {});
      socket.setTimeout(0);
      socket.setKeepAlive(true, PROBE_AFTER_MS);
      // Before its end was read: the other direction may go on after it.
      socket.allowHalfOpen = true;
      socket.once("close", () => this.#onClose(socket));
    }
    this.#watchdog.watch(idleMs);
    this.#join(client, upstream, this.#toUpstream, "client");
    this.#join(upstream, client, this.#toClient, "upstream");
    client.resume();
    upstream.resume();
  }

  /**
   * Ends the tunnel. A side that is between two frames gets the reason in a close frame. A side in the middle of a frame is closed without
   * one, because it would read the close frame as the rest of that frame.
   */
  end(code: Code): void {
    if (this.#isEnding) return;
    this.#isEnding = true;
    this.#code ??= code;
    this.#stop();
    const { client, upstream } = this.#options;
    const status = GOING_AWAY_CODES.has(code) ? GOING_AWAY : POLICY_VIOLATION;
    this.#farewell = setTimeout(() => this.#destroy(), FAREWELL_MS);
    leave(client, this.#toClient, closeFrame(status, code, false));
    leave(upstream, this.#toUpstream, closeFrame(status, code, true));
  }

  #join(from: Socket, to: Socket, frames: FrameCursor, side: "client" | "upstream"): void {
    const follow = (chunk: Buffer): void => frames.take(chunk);
    from.on("data", follow);
    const stopPump = pumpBody(from, to, {
      onProgress: (bytes) => {
        this.#watchdog.touch();
        if (bytes > 0) this.#options.onBytes?.(side, bytes);
      },
      onEnd: () => to.end(),
    });
    this.#stops.push(stopPump, () => from.off("data", follow));
  }

  #onClose(socket: Socket): void {
    const { client, upstream, onEnd } = this.#options;
    const isClient = socket === client;
    const other = isClient ? upstream : client;
    const saidGoodbye = this.#toClient.sawClose && this.#toUpstream.sawClose;
    const isWhole = socket.readableEnded && socket.writableFinished;
    if (!isWhole && !saidGoodbye && !this.#isEnding) {
      this.#code ??= isClient ? "cancelled" : "bad_response";
    }
    if (!other.destroyed) {
      // What still has bytes to send sends them, as long as they move.
      if (!isWhole) other.destroy();
      return;
    }
    if (!other.closed) return;
    this.#stop();
    clearTimeout(this.#farewell);
    onEnd(this.#code);
  }

  #stop(): void {
    this.#watchdog.stop();
    for (const stop of this.#stops.splice(0)) stop();
  }

  #destroy(): void {
    this.#options.client.destroy();
    this.#options.upstream.destroy();
  }
}

function leave(socket: Socket, frames: FrameCursor, goodbye: Buffer): void {
  if (!socket.writable || (!frames.isBetweenFrames && !frames.sawClose)) {
    socket.destroy();
    return;
  }
  if (frames.sawClose) socket.end();
  else socket.end(goodbye);
  // Unread bytes would turn the end of the connection into a reset, and the goodbye would be lost.
  socket.resume();
}
