import { randomUUID } from "node:crypto";
import type { IncomingMessage } from "node:http";
import { normaliseAddress } from "@countersign/agent-assertion/client-address";
import { isRequestId } from "@countersign/agent-key/redaction";
import type { RequestOrigin } from "../refusal/audit-entry.js";
import { fieldLines, fieldValues, type RawFields } from "./raw-fields.js";

/** The field in which the id of a request comes, and in which it goes to the upstream and into the answer. */
export const REQUEST_ID_FIELD = "x-request-id";

/** Where the connection of a request comes from; `undefined` on a Unix socket, or once it is gone. */
export function peerAddressOf(socket: { readonly remoteAddress?: string | undefined }) {
  return normaliseAddress(socket.remoteAddress ?? "");
}

/**
 * Reads the origin of a request, with the other end of its connection as its address. To be done when the request begins, since the
 * connection may be gone later.
 *
 * @param isSecret - returns whether a text contains a secret; what does is left out. Absent: no text does
 */
export function readOrigin(
  { rawHeaders, socket }: Pick<IncomingMessage, "rawHeaders" | "socket">,
  isSecret: ((text: string) => boolean) | undefined,
): RequestOrigin {
  const only = (name: string) => {
    const [value, ...more] = fieldValues(rawHeaders, name);
    return value === undefined || more.length > 0 || isSecret?.(value) === true ? undefined : value;
  };
  return {
    requestId: givenId(rawHeaders, isSecret) ?? randomUUID(),
    address: peerAddressOf(socket),
    userAgent: only("user-agent"),
    traceparent: only("traceparent"),
  };
}

/** Makes the origin of what could not be read as a request. */
export function unreadOrigin(socket: IncomingMessage["socket"]): RequestOrigin {
  const address = peerAddressOf(socket);
  return { requestId: randomUUID(), address, userAgent: undefined, traceparent: undefined };
}

// Two of them name no request, and another spelling is not the field that a proxy in front sets.
function givenId(
  fields: RawFields,
  isSecret: ((text: string) => boolean) | undefined,
): string | undefined {
  const lines = fieldLines(fields).filter(({ name }) => name === REQUEST_ID_FIELD);
  const [line] = lines;
  if (line === undefined || lines.length > 1) return undefined;
  if (line.rawName.toLowerCase() !== REQUEST_ID_FIELD) return undefined;
  return isRequestId(line.value) && isSecret?.(line.value) !== true ? line.value : undefined;
}
