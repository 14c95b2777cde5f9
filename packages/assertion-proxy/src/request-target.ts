import { RequestRefusal } from "./request-refusal.js";

const REFUSED_METHODS: ReadonlySet<string> = new Set(["CONNECT", "TRACE", "TRACK"]);
// What some server between here and the handler reads as the end of a path segment: the slash, and both slashes encoded.
const SEGMENT_END = /\/|%2f|%5c/i;
const DOT_SEGMENT = /^(?:\.|%2e){1,2}(?:;|%3b|$)/i;
// RFC 3986 has no place for them in a target; everything else in visible ASCII passes, since servers differ and clients are sloppy.
const FORBIDDEN = /[^!-~]|[#\\]/;

/**
 * Checks that a request names a path below the upstream's base path and nothing else. The target is then forwarded byte for byte, so
 * whatever another server could read as a different path is refused and never repaired.
 *
 * Refused: CONNECT, TRACE, TRACK; the absolute, authority and asterisk forms; `//` at the start; a backslash; `.` and `..` segments,
 * also as `%2e`, also ended by `%2f`, `%5c` or `;`; `#`, spaces, control characters and
 * whatever is not ASCII.
 *
 * @param target - the request target as received
 * @throws {RequestRefusal} `invalid_request`
 * @see RFC 9112 §3.2; security.md "Both proxies build the outgoing request from nothing"
 */
export function checkRequestTarget(method: string, target: string): void {
  if (REFUSED_METHODS.has(method)) throw refusal(`the method ${method} is not served`);
  if (!target.startsWith("/")) throw refusal("the request target is not a path");
  if (target.startsWith("//")) throw refusal("the request target begins with two slashes");
  if (FORBIDDEN.test(target)) throw refusal("the request target holds a forbidden character");
  const path = target.split("?", 1)[0] ?? "";
  for (const segment of path.split(SEGMENT_END)) {
    if (DOT_SEGMENT.test(segment)) throw refusal("the request target has a dot segment");
  }
}

function refusal(message: string): RequestRefusal {
  return new RequestRefusal("invalid_request", message);
}
