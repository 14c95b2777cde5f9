import { RequestRefusal } from "../refusal/request-refusal.js";
import { fieldValues, hasDisguisedFraming, type RawFields } from "./raw-fields.js";

/** Where a request's body ends. */
export type RequestFraming =
  | { readonly kind: "none" }
  | { readonly kind: "length"; readonly length: number }
  | { readonly kind: "chunked" };

const LENGTH = /^\d{1,15}$/;

/**
 * Reads how a request's body is framed, on the raw fields, so that both sides of a proxy mean the same bytes by it.
 *
 * @throws {RequestRefusal} `invalid_request` for `Content-Length` with `Transfer-Encoding`, either of them twice or under a
 * name that only compares equal, a length that is not valid, a coding other than `chunked` alone, and `Transfer-Encoding` in HTTP/1.0
 * @see RFC 9112 §6.1 and §6.3
 */
export function parseRequestFraming(fields: RawFields, httpVersion: string): RequestFraming {
  const lengths = fieldValues(fields, "content-length");
  const codings = fieldValues(fields, "transfer-encoding");
  if (lengths.length > 0 && codings.length > 0) {
    throw refusal("the request has Content-Length and Transfer-Encoding");
  }
  const [length, secondLength] = lengths;
  const [coding, secondCoding] = codings;
  if (secondLength !== undefined || secondCoding !== undefined) {
    throw refusal("the request says twice where its body ends");
  }
  if (coding !== undefined) {
    if (
      httpVersion !== "1.1" ||
      coding.toLowerCase() !== "chunked" ||
      hasDisguisedFraming(fields)
    ) {
      throw refusal("the only transfer coding that is served is chunked");
    }
    return { kind: "chunked" };
  }
  if (length === undefined) return { kind: "none" };
  if (!LENGTH.test(length) || hasDisguisedFraming(fields))
    throw refusal("the Content-Length is not one");
  return { kind: "length", length: Number(length) };
}

function refusal(message: string): RequestRefusal {
  return new RequestRefusal("invalid_request", message);
}
