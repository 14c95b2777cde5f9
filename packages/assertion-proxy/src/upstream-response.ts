import type { IncomingMessage, ServerResponse } from "node:http";
import { isConnectionField, isForbiddenTrailer } from "./field-names.js";
import {
  announcedTrailers,
  connectionOptions,
  fieldValues,
  hasDisguisedFraming,
  keepFields,
  type RawFields,
} from "./raw-fields.js";
import { RequestRefusal } from "./request-refusal.js";

/** Chooses, by comparable name, what of an upstream's end-to-end fields the client gets. Absent: all of them. */
export type KeepAnswerField = ((name: string) => boolean) | undefined;

/** Options of {@link forwardResponseHead}. */
export interface ForwardResponseHeadOptions {
  /** End the client's connection after this answer. */
  readonly close: boolean;
  readonly keep: KeepAnswerField;
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
  const fields = endToEndFields(raw, options.keep);
  const [length] = fieldValues(raw, "content-length");
  const codings = fieldValues(raw, "transfer-encoding");
  if (codings.length > 1 || codings.some((coding) => coding.toLowerCase() !== "chunked")) {
    throw new RequestRefusal(
      "bad_response",
      "the upstream used a transfer coding other than chunked",
    );
  }
  if (length !== undefined && codings.length === 0) fields.push("content-length", length);
  else if (codings.length === 1 && mayHaveTrailers(from, to)) fields.push(...trailerField(raw));
  if (options.close) fields.push("connection", "close");
  sendHead(from, to, fields);
}

/** Options of {@link forwardSwitch}. */
export interface ForwardSwitchOptions {
  /** The fields of the handshake, checked. */
  readonly handshake: RawFields;
  readonly keep: KeepAnswerField;
}

/**
 * Tells the client that its connection is a WebSocket's from now on, with the end-to-end fields of the upstream's 101.
 *
 * @throws {RequestRefusal} `bad_response` for a head that cannot be sent on; nothing was sent then
 */
export function forwardSwitch(
  from: IncomingMessage,
  to: ServerResponse,
  options: ForwardSwitchOptions,
): void {
  const { handshake, keep } = options;
  const fields = endToEndFields(
    from.rawHeaders,
    (name) => !name.startsWith("sec-websocket-") && (keep?.(name) ?? true),
  );
  sendHead(from, to, [...handshake, ...fields]);
}

/** Returns the trailer fields of an upstream's answer that may go to the client. */
export function forwardedTrailers(fields: RawFields, keep: KeepAnswerField): [string, string][] {
  return trailerPairs(
    keepFields(fields, (name) => !isForbiddenTrailer(name) && (keep?.(name) ?? true)),
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
    (name) => !isConnectionField(name) && !named.has(name) && (keep?.(name) ?? true),
  );
}

function sendHead(from: IncomingMessage, to: ServerResponse, fields: string[]): void {
  try {
    to.writeHead(from.statusCode ?? 0, from.statusMessage ?? "", fields);
  } catch (cause) {
    throw new RequestRefusal("bad_response", "the upstream's head cannot be sent on", { cause });
  }
  to.flushHeaders();
}

// Node throws for an announcement on an answer that it will not send in chunks.
function mayHaveTrailers(from: IncomingMessage, to: ServerResponse): boolean {
  const bodiless = to.req.method === "HEAD" || from.statusCode === 204 || from.statusCode === 304;
  return to.req.httpVersion === "1.1" && !bodiless;
}

function trailerField(raw: RawFields): string[] {
  const names = [...announcedTrailers(raw)].filter((name) => !isForbiddenTrailer(name));
  return names.length === 0 ? [] : ["trailer", names.join(", ")];
}
