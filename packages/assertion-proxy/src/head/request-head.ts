import type { IncomingMessage } from "node:http";
import type { ProxyLimits } from "../limits/proxy-limits.js";
import { RequestRefusal } from "../refusal/request-refusal.js";
import { fieldValues } from "./raw-fields.js";
import { parseRequestFraming, type RequestFraming } from "./request-framing.js";
import { checkRequestTarget } from "./request-target.js";
import {
  offersWebSocket,
  parseWebSocketOffer,
  type WebSocketOffer,
} from "./websocket-handshake.js";

/** What a proxy reads from a request's head before its policy decides whether the request may pass. */
export interface RequestHead {
  readonly framing: RequestFraming;
  /** The client waits for `100 Continue` before it sends its body. */
  readonly expectsContinue: boolean;
  /** The client asks for a WebSocket. */
  readonly websocket?: WebSocketOffer | undefined;
}

/** Options of the check of a request's head. */
export interface RequestHeadRules {
  readonly limits: ProxyLimits;
  /** Whether the connection can become a WebSocket's. */
  readonly canUpgrade: boolean;
  /** Returns whether a text contains a secret that does not go to the upstream. */
  readonly isSecret?: ((text: string) => boolean) | undefined;
}

/**
 * Checks a request's head, in this order: target, one `Host`, framing, upgrade, `Expect`. An offer of another protocol than `websocket` is
 * ignored.
 *
 * @throws {RequestRefusal} `invalid_request`
 * @see security.md "Both proxies build the outgoing request from nothing"
 */
export function checkRequestHead(request: IncomingMessage, rules: RequestHeadRules): RequestHead {
  const { rawHeaders, httpVersion } = request;
  const { limits, canUpgrade, isSecret } = rules;
  checkRequestTarget(request.method ?? "", request.url ?? "");
  const hosts = fieldValues(rawHeaders, "host").length;
  if (hosts > 1 || (hosts === 0 && httpVersion === "1.1")) {
    throw new RequestRefusal("invalid_request", "the request needs exactly one Host field");
  }
  const framing = parseRequestFraming(rawHeaders, httpVersion);
  if (framing.kind === "length" && framing.length > limits.maxBodyBytes) throw bodyTooLarge();
  if (offersWebSocket(request)) {
    const isHandshake = canUpgrade && request.method === "GET" && framing.kind === "none";
    if (!isHandshake) {
      throw new RequestRefusal("invalid_request", "a WebSocket is opened by GET without a body");
    }
    return {
      framing,
      expectsContinue: false,
      websocket: parseWebSocketOffer(rawHeaders, isSecret),
    };
  }
  return { framing, expectsContinue: parseExpect(request) && framing.kind !== "none" };
}

/** The refusal of a body that is larger than the limit. */
export function bodyTooLarge(): RequestRefusal {
  return new RequestRefusal("invalid_request", "the body is larger than is served", {
    status: 413,
  });
}

// RFC 9110 §10.1.1: an HTTP/1.0 client's expectation is ignored.
function parseExpect(request: IncomingMessage): boolean {
  const values = fieldValues(request.rawHeaders, "expect");
  if (values.length === 0 || request.httpVersion !== "1.1") return false;
  if (values.some((value) => value.toLowerCase() !== "100-continue")) {
    throw new RequestRefusal(
      "invalid_request",
      "the only expectation that is served is 100-continue",
      {
        status: 417,
      },
    );
  }
  return true;
}
