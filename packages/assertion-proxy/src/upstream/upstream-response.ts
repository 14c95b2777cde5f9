import {
  type IncomingMessage,
  type ServerResponse,
  validateHeaderName,
  validateHeaderValue,
} from "node:http";
import { comparableName, isConnectionField, isForbiddenTrailer } from "../head/field-names.js";
import {
  announcedTrailers,
  connectionOptions,
  type FieldLine,
  fieldLines,
  fieldValues,
  hasDisguisedFraming,
  keepFields,
  type RawFields,
} from "../head/raw-fields.js";
import { REQUEST_ID_FIELD } from "../head/request-origin.js";
import { renderHead, sendHead } from "../head/send-head.js";
import { RequestRefusal } from "../refusal/request-refusal.js";

const SWITCHING = 101;
// Anywhere in the line: a list of challenges is read in more than one way.
const OWN_SCHEME = /AgentAssertion/i;

/** Chooses, by comparable name, what of an upstream's end-to-end fields the client gets. Absent: all of them. */
export type KeepAnswerField = ((name: string) => boolean) | undefined;

/** Options of {@link forwardResponseHead}. */
export interface ForwardResponseHeadOptions {
  /** End the client's connection after this answer. */
  readonly close: boolean;
  readonly keep: KeepAnswerField;
  /** The id of the request, for an answer that has none. */
  readonly requestId: string;
}

/**
 * Sends an upstream's head on to the client, at once: status and reason, end-to-end fields as they came, redirects too.
 *
 * @throws {RequestRefusal} `bad_response` for a head that cannot be sent on; nothing was sent then
 */
export function forwardResponseHead(
  from: IncomingMessage,
  to: ServerResponse,
  options: ForwardResponseHeadOptions,
): void {
  const raw = from.rawHeaders;
  // Sent on as a length it would let the rest of the body pass for the client's next answer.
  if (hasDisguisedFraming(raw)) {
    throw new RequestRefusal("bad_response", "the upstream does not say where its answer ends");
  }
  const fields = withRequestId(endToEndFields(raw, options.keep), raw, options.requestId);
  const [length] = fieldValues(raw, "content-length");
  const codings = fieldValues(raw, "transfer-encoding");
  if (codings.length > 1 || codings.some((coding) => coding.toLowerCase() !== "chunked")) {
    throw new RequestRefusal(
      "bad_response",
      "the upstream used a transfer coding other than chunked",
    );
  }
  if (length !== undefined && codings.length === 0) fields.push("content-length", length);
  else if (codings.length === 1 && mayHaveTrailers(from, to))
    fields.push(...trailerField(raw, options.keep));
  if (options.close) fields.push("connection", "close");
  try {
    to.writeHead(from.statusCode ?? 0, from.statusMessage ?? "", fields);
  } catch (cause) {
    throw headCannotBeSent(cause);
  }
  sendHead(to);
}

/**
 * Renders the 101 head that switches a client's connection to WebSocket, with the end-to-end fields of the upstream's 101.
 *
 * @param handshake - the checked fields of the handshake
 * @returns one character for each byte
 * @throws {RequestRefusal} `bad_response` for a head that cannot be sent on
 */
export function renderSwitch(
  from: IncomingMessage,
  handshake: RawFields,
  { keep, requestId }: Omit<ForwardResponseHeadOptions, "close">,
): string {
  const raw = from.rawHeaders;
  const passed = endToEndFields(
    raw,
    (name) => !name.startsWith("sec-websocket-") && (keep?.(name) ?? true),
  );
  const fields = withRequestId(passed, raw, requestId);
  try {
    for (const { rawName, value } of fieldLines(fields)) {
      validateHeaderName(rawName);
      validateHeaderValue(rawName, value);
    }
  } catch (cause) {
    throw headCannotBeSent(cause);
  }
  return renderHead(SWITCHING, "Switching Protocols", [...handshake, ...fields]);
}

/** Returns the trailer fields of an upstream's answer that may go to the client. */
export function forwardedTrailers(fields: RawFields, keep: KeepAnswerField): [string, string][] {
  return trailerPairs(
    keepFields(fields, ({ name }) => !isForbiddenTrailer(name) && (keep?.(name) ?? true)),
  );
}

/** Brings raw fields into the form that Node's `addTrailers` takes. */
export function trailerPairs(fields: RawFields): [string, string][] {
  const pairs: [string, string][] = [];
  for (let index = 0; index + 1 < fields.length; index += 2) {
    pairs.push([fields[index] ?? "", fields[index + 1] ?? ""]);
  }
  return pairs;
}

function endToEndFields(raw: RawFields, keep: KeepAnswerField): string[] {
  const named = connectionOptions(raw);
  return keepFields(
    raw,
    (line) =>
      !isConnectionField(line.name) &&
      !named.has(line.name) &&
      !isOwnChallenge(line) &&
      (keep?.(line.name) ?? true),
  );
}

// APIs name an answer by an id of their own, which their SDKs show and their support asks for.
function withRequestId(fields: string[], raw: RawFields, requestId: string): string[] {
  if (fieldValues(raw, REQUEST_ID_FIELD).length === 0) fields.push(REQUEST_ID_FIELD, requestId);
  return fields;
}

// On this challenge a client replaces its task or its agent (protocol.md §10). Only the verifier that the client speaks to may send it.
function isOwnChallenge({ name, value }: FieldLine): boolean {
  return name === "www-authenticate" && OWN_SCHEME.test(value);
}

function headCannotBeSent(cause: unknown): RequestRefusal {
  return new RequestRefusal("bad_response", "the upstream's head cannot be sent on", { cause });
}

// Node throws for an announcement on an answer that it will not send in chunks.
function mayHaveTrailers(from: IncomingMessage, to: ServerResponse): boolean {
  const bodiless = to.req.method === "HEAD" || from.statusCode === 204 || from.statusCode === 304;
  return to.req.httpVersion === "1.1" && !bodiless;
}

function trailerField(raw: RawFields, keep: KeepAnswerField): string[] {
  const names = announcedTrailers(raw).filter((rawName) => {
    const name = comparableName(rawName);
    return !isForbiddenTrailer(name) && (keep?.(name) ?? true);
  });
  return names.length === 0 ? [] : ["trailer", names.join(", ")];
}
