import { type ClientRequest, type Agent as HttpAgent, request as httpRequest } from "node:http";
import { request as httpsRequest } from "node:https";
import type { RawFields } from "../head/raw-fields.js";
import type { RequestFraming } from "../head/request-framing.js";
import { handshakeFields, type WebSocketOffer } from "../head/websocket-handshake.js";
import type { Upstream } from "./upstream.js";

/** One request to the upstream, whole but for its body. */
export interface UpstreamRequest {
  readonly method: string;
  /** Checked by `checkRequestTarget`; goes behind the upstream's base path byte for byte. */
  readonly target: string;
  readonly framing: RequestFraming;
  /** End-to-end fields, in order, the proxy's own last. */
  readonly fields: RawFields;
  /** The names that the client announced for its trailer section and that may pass. */
  readonly trailerNames: readonly string[];
  /** Ask the upstream before the body is sent. */
  readonly expectContinue: boolean;
  /** Ask for a WebSocket. */
  readonly websocket?: WebSocketOffer | undefined;
  readonly maxHeaderBytes: number;
}

// RFC 9110 §8.6: a request of another method without a body says so.
const WITHOUT_BODY: ReadonlySet<string> = new Set(["GET", "HEAD", "DELETE", "OPTIONS"]);

/** Begins a request to the upstream: its head is on its way as soon as there is a connection, whether or not a body follows. */
export function openUpstreamRequest(
  upstream: Upstream,
  agent: HttpAgent,
  request: UpstreamRequest,
): ClientRequest {
  const open = upstream.protocol === "https:" ? httpsRequest : httpRequest;
  const outgoing = open({
    agent,
    host: upstream.host,
    port: upstream.port,
    method: request.method,
    path: upstream.basePath + request.target,
    headers: headFields(upstream, request),
    maxHeaderSize: request.maxHeaderBytes,
    insecureHTTPParser: false,
  });
  // Bounded by its bytes; Node's own bound on the number would drop fields in silence.
  outgoing.maxHeadersCount = 0;
  return outgoing;
}

function headFields(upstream: Upstream, request: UpstreamRequest): string[] {
  const { framing, websocket } = request;
  if (websocket !== undefined) {
    return ["host", upstream.authority, ...handshakeFields(websocket), ...request.fields];
  }
  const head = ["host", upstream.authority, "connection", "keep-alive"];
  if (framing.kind === "chunked") head.push("transfer-encoding", "chunked");
  else if (framing.kind === "length") head.push("content-length", String(framing.length));
  else if (!WITHOUT_BODY.has(request.method)) head.push("content-length", "0");
  if (request.expectContinue) head.push("expect", "100-continue");
  if (request.trailerNames.length > 0) head.push("trailer", request.trailerNames.join(", "));
  return [...head, ...request.fields];
}
