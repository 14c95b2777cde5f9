import type { IncomingMessage } from "node:http";
import { fieldLines, sectionOfLines } from "../head/raw-fields.js";
import { RequestRefusal } from "../refusal/request-refusal.js";
import type { GatewayFields } from "./gateway-kind.js";

/** The field in which a gateway presents its token. */
export const TOKEN_FIELD = "x-gateway-token";

const METHOD = /^[A-Z][A-Z-]{0,31}$/;
// Neither a length above 0 nor a coding, in a version in which a body needs one of the two.
const NO_BODY = /^HTTP\/1\.[01];0*;$/;

/** What is known of a request in question beside its head. */
export interface RestoredRequest {
  /** Whether the gateway said that the request has no body. */
  readonly isBodiless: boolean;
}

/** Options of {@link createRestore}. */
export interface RestoreOptions {
  readonly fields: GatewayFields;
  /** Returns whether a text is the gateway's token. Absent: the listener lets in the gateway alone. */
  readonly isToken: ((presented: string) => boolean) | undefined;
}

/**
 * Makes what turns a gateway's question into the request that it is about: method and target are taken from the gateway's pair of fields, and
 * these fields, its token and the fields of an upgrade are taken out.
 *
 * @returns a function that throws a `RequestRefusal`: `forbidden` without the token, `invalid_request` if a field of the gateway is missing, is
 * there twice, or is there under another spelling, since a client could have written one of them
 */
export function createRestore({
  fields: { pair, framing },
  isToken,
}: RestoreOptions): (request: IncomingMessage) => RestoredRequest {
  const own = new Set([TOKEN_FIELD, "upgrade"]);
  for (const name of [pair?.method, pair?.target, framing]) if (name !== undefined) own.add(name);

  return (request) => {
    const { rawHeaders } = request;
    if (isToken !== undefined && !isToken(theOne(rawHeaders, TOKEN_FIELD) ?? "")) {
      throw new RequestRefusal("forbidden", "the question does not carry the gateway's token");
    }
    if (pair !== undefined) {
      const method = theOne(rawHeaders, pair.method);
      const target = theOne(rawHeaders, pair.target);
      if (method === undefined || target === undefined || !METHOD.test(method)) {
        const message = `the gateway does not say which request it asks about: ${pair.method} and ${pair.target}`;
        throw new RequestRefusal("invalid_request", message);
      }
      request.method = method;
      request.url = target;
    }
    const framed = framing && theOne(rawHeaders, framing);
    request.rawHeaders = sectionOfLines(rawHeaders, ({ name }) => !own.has(name));
    return { isBodiless: framed !== undefined && NO_BODY.test(framed) };
  };
}

/** Returns the value of a field that the gateway sets. @throws {RequestRefusal} `invalid_request` if there is more than one line of it, in any spelling */
function theOne(fields: string[], name: string): string | undefined {
  const lines = fieldLines(fields).filter((line) => line.name === name);
  const [line] = lines;
  if (line === undefined) return undefined;
  if (lines.length > 1 || line.rawName.toLowerCase() !== name) {
    throw new RequestRefusal("invalid_request", `${name} is there twice, or in another spelling`);
  }
  return line.value;
}
