import { RequestRefusal } from "../refusal/request-refusal.js";

/** What Node's server says of a connection on which it can read no request. */
export interface BrokenRequestError extends Error {
  readonly code?: unknown;
}

/**
 * Returns the refusal that answers bytes which are not a valid HTTP request: a head that is too large or does not end in time,
 * `Content-Length` with `Transfer-Encoding`, a malformed chunk.
 *
 * @returns `undefined` if the client has gone away, or the error is not about what it sent
 */
export function refusalOfBroken(error: BrokenRequestError): RequestRefusal | undefined {
  switch (error.code) {
    case "HPE_HEADER_OVERFLOW":
      return refusal("the head of the request is too large", 431);
    case "HPE_CHUNK_EXTENSIONS_OVERFLOW":
      return refusal("the chunk extensions are too large", 413);
    case "ERR_HTTP_REQUEST_TIMEOUT":
      return new RequestRefusal("timeout", "the request did not arrive in time", { status: 408 });
    case "HPE_INVALID_EOF_STATE":
      // The client ended its side in the middle of a request: it went away.
      return undefined;
    default:
      return isParserError(error) ? refusal("this is not an HTTP/1.1 request", 400) : undefined;
  }
}

function isParserError(error: BrokenRequestError): boolean {
  return typeof error.code === "string" && error.code.startsWith("HPE_");
}

function refusal(message: string, status: number): RequestRefusal {
  return new RequestRefusal("invalid_request", message, { status });
}
