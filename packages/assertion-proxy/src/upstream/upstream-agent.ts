import { type ClientRequest, Agent as HttpAgent } from "node:http";
import { Agent as HttpsAgent } from "node:https";
import { Socket } from "node:net";
import type { Duplex } from "node:stream";
import type { SecureContextOptions } from "node:tls";
import { readAnswerFirst } from "./answer-first.js";
import type { Upstream } from "./upstream.js";

/** How a proxy proves itself to its upstream, and whom it believes, below HTTP. Members as in `node:tls`. */
export interface UpstreamTls extends Pick<SecureContextOptions, "ca" | "cert" | "key"> {
  /** The name that the upstream's certificate must be for. Default: the host of its URL. */
  readonly servername?: string | undefined;
}

// Shorter than servers commonly keep an idle connection, so that the proxy lets go first and no request meets one that is closing.
const IDLE_CONNECTION_MS = 4_000;

const SETTINGS = { keepAlive: true, timeout: IDLE_CONNECTION_MS } as const;

/**
 * Makes the pool of connections to an upstream.
 *
 * An idle connection on which the upstream sends anything is destroyed: those bytes would be read as the answer to the next request, which
 * may be another agent's. Node 22.19 does not do that by itself.
 */
export function createUpstreamAgent(upstream: Upstream, tls: UpstreamTls = {}): HttpAgent {
  if (upstream.protocol === "http:") return new GuardedHttpAgent(SETTINGS);
  const { servername, ...context } = tls;
  return new GuardedHttpsAgent({
    ...SETTINGS,
    ...context,
    ...(servername === undefined ? {} : { servername }),
    rejectUnauthorized: true,
  });
}

class GuardedHttpAgent extends HttpAgent {
  override createConnection(...args: Parameters<HttpAgent["createConnection"]>) {
    return answersFirst(super.createConnection(...args));
  }
  override keepSocketAlive(socket: Duplex): boolean {
    return guardIdle(socket, super.keepSocketAlive(socket));
  }
  override reuseSocket(socket: Duplex, request: ClientRequest): void {
    endGuard(socket);
    super.reuseSocket(socket, request);
  }
}

class GuardedHttpsAgent extends HttpsAgent {
  override createConnection(...args: Parameters<HttpsAgent["createConnection"]>) {
    return answersFirst(super.createConnection(...args));
  }
  override keepSocketAlive(socket: Duplex): boolean {
    return guardIdle(socket, super.keepSocketAlive(socket));
  }
  override reuseSocket(socket: Duplex, request: ClientRequest): void {
    endGuard(socket);
    super.reuseSocket(socket, request);
  }
}

function answersFirst<Connection>(connection: Connection): Connection {
  if (connection instanceof Socket) readAnswerFirst(connection);
  return connection;
}

// Node documents that a falsy answer destroys the socket; the type definitions say void.
function guardIdle(socket: Duplex, kept: unknown): boolean {
  if (kept !== true) return false;
  socket.on("data", destroyTalker);
  return true;
}

function endGuard(socket: Duplex): void {
  socket.off("data", destroyTalker);
}

function destroyTalker(this: Duplex): void {
  this.destroy();
}
