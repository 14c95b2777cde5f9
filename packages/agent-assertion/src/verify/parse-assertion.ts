import { isUtf8 } from "node:buffer";
import { decodeBase64, decodeBase64Url, isServerId, parseTimestamp } from "@countersign/agent-key";
import { MAX_FIELD_LENGTH, SCHEME } from "../schema/assertion.js";
import { AssertionRejected } from "./assertion-rejected.js";
import { type JsonObject, parseJsonObject } from "./parse-json-object.js";

// The form that clients write: each member once, no escape, no white space between. A text of it is one JSON object whose names differ.
const WRITTEN =
  /^\{"agent_runtime_id":"([ !#-[\]-~]*)","signature":"([ !#-[\]-~]*)","task_id":"([ !#-[\]-~]*)","timestamp":"([ !#-[\]-~]*)"\}$/;

/** A well-formed assertion. Nothing in it is trusted: anybody can write one. */
export interface ParsedAssertion {
  readonly agentRuntimeId: string;
  readonly taskId: string;
  /** As it was signed: `YYYY-MM-DDTHH:MM:SSZ`. */
  readonly timestamp: string;
  /** The instant of `timestamp`, epoch milliseconds, a whole second. */
  readonly issuedAt: number;
  /** The decoded signature; of 64 bytes if it is to hold. */
  readonly signature: Uint8Array;
  /** The whole field value that was parsed. */
  readonly header: string;
}

/**
 * Takes an `Authorization` field apart: check 1 of the fixed order.
 *
 * @param header - the field's value; or the values of all `Authorization` fields of a request, for Node's `http`
 * `request.headersDistinct.authorization` (`request.headers.authorization` hides all but the first, and an assertion must be alone)
 * @throws {AssertionRejected} `missing` when there is no field or one of another scheme; `malformed` when there are several, or one that
 * begins with the scheme's name and is not exactly of the protocol's form
 * @see protocol.md V-1
 */
export function parseAssertion(header: string | readonly string[] | undefined): ParsedAssertion {
  const field = onlyField(header);
  if (field.length > MAX_FIELD_LENGTH) throw malformed("the field is longer than 8 KiB");
  const envelope = parseEnvelope(tokenOf(field));
  const agentRuntimeId = member(envelope, "agent_runtime_id");
  const taskId = member(envelope, "task_id");
  const timestamp = member(envelope, "timestamp");
  const signature = member(envelope, "signature");
  if (!isServerId(agentRuntimeId)) throw malformed("agent_runtime_id is no id");
  if (!isServerId(taskId)) throw malformed("task_id is no id");
  return {
    agentRuntimeId,
    taskId,
    timestamp,
    issuedAt: decode("timestamp", parseTimestamp, timestamp),
    signature: decode("signature", decodeBase64, signature),
    header: field,
  };
}

// A field that begins with the scheme's name is never `missing`, however wrong the rest is.
function onlyField(header: string | readonly string[] | undefined): string {
  const fields = typeof header === "string" ? [header] : (header ?? []);
  if (fields.length > 1) throw malformed("there is more than one Authorization field");
  const field = fields[0] ?? "";
  const start = field.trimStart();
  if (start.slice(0, SCHEME.length).toLowerCase() !== SCHEME.toLowerCase()) {
    throw new AssertionRejected("missing", "the request carries no AgentAssertion", {
      hint: `send Authorization: ${SCHEME} …`,
    });
  }
  if (start !== field) throw malformed("there is white space before the scheme");
  return field;
}

// credentials = auth-scheme 1*SP token68 (RFC 9110 §11.4); a tab is no SP.
function tokenOf(field: string): string {
  let at = SCHEME.length;
  while (field[at] === " ") at += 1;
  if (at === SCHEME.length) throw malformed("no space after the scheme");
  return field.slice(at);
}

function parseEnvelope(token: string): JsonObject {
  const bytes = decode("the token", decodeBase64Url, token);
  if (!isUtf8(bytes)) throw malformed("the token is not UTF-8");
  // A byte order mark stays in the text, where it is no JSON.
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("utf8");
  const envelope = asWritten(text) ?? parseJsonObject(text);
  if (envelope === undefined) {
    throw malformed("the token is not one JSON object without repeated members");
  }
  return envelope;
}

function asWritten(text: string): JsonObject | undefined {
  const found = WRITTEN.exec(text);
  if (found === null) return undefined;
  const [, agent_runtime_id, signature, task_id, timestamp] = found;
  return { agent_runtime_id, signature, task_id, timestamp };
}

function member(envelope: JsonObject, name: string): string {
  const value = Object.hasOwn(envelope, name) ? envelope[name] : undefined;
  if (typeof value !== "string") throw malformed(`member ${name} is missing or no text`);
  return value;
}

function decode<T>(what: string, decoder: (text: string) => T, text: string): T {
  try {
    return decoder(text);
  } catch (cause) {
    throw malformed(`${what} is not of the protocol's form`, cause);
  }
}

function malformed(reason: string, cause?: unknown): AssertionRejected {
  return new AssertionRejected("malformed", `no AgentAssertion: ${reason}`, { cause });
}
