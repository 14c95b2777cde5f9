import { findHiddenPath } from "@countersign/agent-key/escaping";
import { RequestRefusal } from "../refusal/request-refusal.js";

const REFUSED_METHODS: ReadonlySet<string> = new Set(["CONNECT", "TRACE", "TRACK"]);
// RFC 3986 has no place for them in a target; everything else in visible ASCII passes, since servers differ and clients are sloppy.
const FORBIDDEN = /[^!-~]|[#\\]/;

/**
 * Checks that a request names a path below the upstream's base path and nothing else. The target is then forwarded byte for byte, so
 * whatever another server could read as a different path is refused and never repaired.
 *
 * Refused: CONNECT, TRACE, TRACK; the absolute, authority and asterisk forms; `//` at the start; a backslash; `#`, spaces, control
 * characters and what is not ASCII; and a path in which {@link findHiddenPath} finds something. A query may hold any escape.
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
  const hidden = findHiddenPath(target.split("?", 1)[0] ?? "");
  if (hidden !== undefined) throw refusal(`the path of the request target has ${hidden}`);
}

function refusal(message: string): RequestRefusal {
  return new RequestRefusal("invalid_request", message);
}
