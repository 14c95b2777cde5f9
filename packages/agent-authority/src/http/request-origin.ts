import type { IncomingMessage } from "node:http";
import { clientAddressOf, type TrustedProxies } from "@countersign/agent-assertion/client-address";
import { isRequestId } from "@countersign/agent-key/redaction";
import { uuidv7 } from "uuidv7";

/** Where a request comes from, and what it is called in answers, logs and the audit log. */
export interface RequestOrigin {
  readonly requestId: string;
  /** `undefined` where the connection was gone before anybody asked. */
  readonly address: string | undefined;
}

/** The header that a request's id comes in and goes out with. */
export const REQUEST_ID_HEADER = "x-request-id";

/** Finds out a request's origin. To be done when it begins: later its connection may be gone. */
export function readOrigin(request: IncomingMessage, proxies: TrustedProxies): RequestOrigin {
  const given = request.headers[REQUEST_ID_HEADER];
  return {
    requestId: isRequestId(given) ? given : uuidv7(),
    address: clientAddressOf(request, proxies),
  };
}
