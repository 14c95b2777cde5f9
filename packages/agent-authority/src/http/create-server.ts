import { createServer, type RequestListener, type Server } from "node:http";
import { Socket } from "node:net";
import type { Duplex } from "node:stream";
import type { Problem } from "@countersign/agent-assertion";
import type { Code } from "@countersign/agent-key";
import { uuidv7 } from "uuidv7";
import { normaliseAddress } from "./client-address.js";
import { REQUEST_ID_HEADER } from "./request-origin.js";
import { createRequestProblem } from "./to-problem.js";

const MAX_HEADER_BYTES = 16 * 1024;
const HEADERS_TIMEOUT_MS = 10_000;
const REQUEST_TIMEOUT_MS = 30_000;
const KEEP_ALIVE_TIMEOUT_MS = 5_000;
const CHECK_INTERVAL_MS = 1_000;
const MAX_CONNECTIONS = 2_000;

/** What arrived and could not be read as a request. */
export interface UnreadRefusal {
  readonly status: number;
  readonly code: Code;
  readonly request_id: string;
  readonly address: string | undefined;
}

/**
 * An HTTP server with this authority's limits of headers, time and connections, whose own refusals are problem+json as well.
 *
 * @param onRefusal - hears of what never became a request
 */
export function createLimitedServer(
  handler: RequestListener,
  now: () => number,
  onRefusal: (refusal: UnreadRefusal) => void = () => {},
): Server {
  const server = createServer(
    {
      maxHeaderSize: MAX_HEADER_BYTES,
      headersTimeout: HEADERS_TIMEOUT_MS,
      requestTimeout: REQUEST_TIMEOUT_MS,
      keepAliveTimeout: KEEP_ALIVE_TIMEOUT_MS,
      connectionsCheckingInterval: CHECK_INTERVAL_MS,
      // The handler refuses a request without Host itself, in problem+json.
      requireHostHeader: false,
    },
    handler,
  );
  // Bounded by the handler: Node's own bound drops what is beyond it in silence (22.19), and so the proxy's X-Forwarded-For at the end.
  server.maxHeadersCount = 0;
  server.maxConnections = MAX_CONNECTIONS;
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
    // Of the connection: there is no header that a proxy's word could be taken from.
    const remote = socket instanceof Socket ? (socket.remoteAddress ?? "") : "";
    onRefusal({ status, code, request_id: requestId, address: normaliseAddress(remote) });
  });
  // The handler refuses what it does not meet, as it refuses everything else.
  server.on("checkExpectation", handler);
  return server;
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
