import { createServer, type RequestListener, type Server } from "node:http";
import { Socket } from "node:net";
import type { Duplex } from "node:stream";
import type { Problem } from "@countersign/agent-assertion";
import {
  isTrustedProxy,
  normaliseAddress,
  type TrustedProxies,
} from "@countersign/agent-assertion/client-address";
import type { Code } from "@countersign/agent-key";
import { uuidv7 } from "uuidv7";
import { addressSubject } from "../limits/limit-subject.js";
import type { ServerLimits } from "../limits/server-limits.js";
import { REQUEST_ID_HEADER } from "./request-origin.js";
import { createRequestProblem } from "./to-problem.js";

const CHECK_INTERVAL_MS = 1_000;
const HUNG_UP = "HPE_INVALID_EOF_STATE";

/** Options of {@link createLimitedServer}. */
export interface LimitedServerOptions {
  readonly limits: ServerLimits;
  /** Whose connections are not limited by address. */
  readonly trustedProxies: TrustedProxies;
  readonly now: () => number;
  /** Called when bytes arrived that could not be read as a request. */
  onRefusal(refusal: UnreadRefusal): void;
}

/** What arrived and could not be read as a request. */
export interface UnreadRefusal {
  readonly status: number;
  readonly code: Code;
  readonly request_id: string;
  readonly address: string | undefined;
}

/**
 * An HTTP server with this authority's limits of headers, time and connections, whose own refusals are problem+json as well.
 */
export function createLimitedServer(
  handler: RequestListener,
  { limits, trustedProxies, now, onRefusal }: LimitedServerOptions,
): Server {
  const server = createServer(
    {
      maxHeaderSize: limits.maxHeaderBytes,
      headersTimeout: limits.requestHeadMs,
      requestTimeout: limits.requestMs,
      keepAliveTimeout: limits.keepAliveMs,
      connectionsCheckingInterval: CHECK_INTERVAL_MS,
      // The handler refuses a request without Host itself, in problem+json.
      requireHostHeader: false,
    },
    handler,
  );
  // Bounded by the handler: Node's own bound drops what is beyond it in silence (22.19), and so the proxy's X-Forwarded-For at the end.
  server.maxHeadersCount = 0;
  server.maxConnections = limits.maxConnections;
  limitByAddress(server, limits.maxConnectionsPerAddress, trustedProxies);
  server.on("clientError", (error: NodeJS.ErrnoException, socket) => {
    if (!socket.writable) {
      socket.destroy();
      return;
    }
    const { status, code, headers, body } = createRequestProblem(statusOfClientError(error.code));
    const requestId = uuidv7();
    writeRawProblem(
      socket,
      { status, body, headers: { ...headers, [REQUEST_ID_HEADER]: requestId } },
      now,
    );
    // A client that hung up was not refused. If its request had begun, it is logged as a request without an answer.
    if (error.code === HUNG_UP) return;
    // Of the connection: there is no header that a proxy's word could be taken from.
    const remote = socket instanceof Socket ? (socket.remoteAddress ?? "") : "";
    onRefusal({ status, code, request_id: requestId, address: normaliseAddress(remote) });
  });
  // The handler refuses what it does not meet, as it refuses everything else.
  server.on("checkExpectation", handler);
  return server;
}

// Closes the connection without an answer, because a client with so many connections could hold the answers open as well.
function limitByAddress(server: Server, max: number, trustedProxies: TrustedProxies): void {
  const open = new Map<string, number>();
  server.on("connection", (socket) => {
    const address = normaliseAddress(socket.remoteAddress ?? "");
    if (address !== undefined && isTrustedProxy(address, trustedProxies)) return;
    const { name } = addressSubject(address);
    const count = (open.get(name) ?? 0) + 1;
    if (count > max) {
      socket.destroy();
      return;
    }
    open.set(name, count);
    socket.once("close", () => {
      const left = (open.get(name) ?? 1) - 1;
      if (left === 0) open.delete(name);
      else open.set(name, left);
    });
  });
}

function statusOfClientError(code: string | undefined): number {
  if (code === "HPE_HEADER_OVERFLOW") return 431;
  return code === "ERR_HTTP_REQUEST_TIMEOUT" ? 408 : 400;
}

// What is no HTTP has no response object: the answer is written by hand.
function writeRawProblem(socket: Duplex, problem: Problem, now: () => number): void {
  const lines = Object.entries({
    ...problem.headers,
    date: new Date(now()).toUTCString(),
    "content-length": String(Buffer.byteLength(problem.body)),
    connection: "close",
  }).map(([name, value]) => `${name}: ${value}\r\n`);
  socket.end(`HTTP/1.1 ${problem.status} Refused\r\n${lines.join("")}\r\n${problem.body}`);
}
