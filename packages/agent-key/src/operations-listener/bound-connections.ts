import type { Server } from "node:http";
import type { Socket } from "node:net";

/** What a {@link boundConnections} allows. */
interface ConnectionBounds {
  readonly maxConnections: number;
  /** Milliseconds without a byte, and milliseconds for a whole request. */
  readonly silentMs: number;
}

const BOUNDS: ConnectionBounds = { maxConnections: 64, silentMs: 10_000 };

/**
 * Bounds the connections of a server for probes and figures. A silent connection is closed. If there are too many, the oldest one is closed, so
 * that the next probe gets in even if a client holds all others open.
 */
export function boundConnections(server: Server, bounds: ConnectionBounds = BOUNDS): void {
  const open = new Set<Socket>();
  server.headersTimeout = bounds.silentMs;
  server.requestTimeout = bounds.silentMs;
  server.setTimeout(bounds.silentMs);
  server.on("connection", (socket) => {
    open.add(socket);
    socket.once("close", () => open.delete(socket));
    if (open.size <= bounds.maxConnections) return;
    const [oldest] = open;
    if (oldest === undefined) return;
    // At once, and not when it is closed: the next newcomer must find another.
    open.delete(oldest);
    oldest.destroy();
  });
}
