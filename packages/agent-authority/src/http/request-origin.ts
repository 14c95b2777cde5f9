import type { IncomingMessage } from "node:http";
import { clientAddressOf, type TrustedProxies } from "@countersign/agent-assertion/client-address";
import { hideCredentials } from "@countersign/agent-key/redaction";
import { uuidv7 } from "uuidv7";

/** Where a request comes from, and what it is called in answers, logs and the audit log. */
export interface RequestOrigin {
  readonly requestId: string;
  /** `undefined` where the connection was gone before anybody asked. */
  readonly address: string | undefined;
}

/** The header that a request's id comes in and goes out with. */
export const REQUEST_ID_HEADER = "x-request-id";

// Ids stand in logs as they are: nothing that is syntax in a line of text, of JSON or of a shell.
const REQUEST_ID = /^[\w.:~+/=@-]{1,128}$/;

/** Finds out a request's origin. To be done when it begins: later its connection may be gone. */
export function readOrigin(request: IncomingMessage, proxies: TrustedProxies): RequestOrigin {
  const given = request.headers[REQUEST_ID_HEADER];
  return {
    requestId: isRequestId(given) ? given : uuidv7(),
    address: clientAddressOf(request, proxies),
  };
}

// One that holds a credential would stand in each log, and another answers the same purpose.
function isRequestId(given: string | string[] | undefined): given is string {
  return typeof given === "string" && REQUEST_ID.test(given) && hideCredentials(given) === given;
}
