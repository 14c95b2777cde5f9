import type { IncomingMessage } from "node:http";
import type { ProxyLimits } from "./proxy-limits.js";
import { connectionOptions, fieldValues } from "./raw-fields.js";
import { parseRequestFraming, type RequestFraming } from "./request-framing.js";
import { RequestRefusal } from "./request-refusal.js";
import { checkRequestTarget } from "./request-target.js";

/** What a proxy needs to know of a request before anyone is asked whether it may pass. */
export interface RequestHead {
  readonly framing: RequestFraming;
  /** The client waits for `100 Continue` before it sends its body. */
  readonly expectsContinue: boolean;
}

/**
 * Checks a request's head, in this order: target, one `Host`, no upgrade, framing, `Expect`.
 *
 * @throws {RequestRefusal} `invalid_request`
 * @see security.md "Both proxies build the outgoing request from nothing"
 */
export function checkRequestHead(request: IncomingMessage, limits: ProxyLimits): RequestHead {
  const { rawHeaders, httpVersion } = request;
  checkRequestTarget(request.method ?? "", request.url ?? "");
  const hosts = fieldValues(rawHeaders, "host").length;
  if (hosts > 1 || (hosts === 0 && httpVersion === "1.1")) {
    throw new RequestRefusal("invalid_request", "the request needs exactly one Host field");
  }
  if (
    fieldValues(rawHeaders, "upgrade").length > 0 ||
    connectionOptions(rawHeaders).has("upgrade")
  ) {
    throw new RequestRefusal("invalid_request", "upgrades are not served");
  }
  const framing = parseRequestFraming(rawHeaders, httpVersion);
  if (framing.kind === "length" && framing.length > limits.maxBodyBytes) throw bodyTooLarge();
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
