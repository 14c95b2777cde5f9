import { AgentKeyError } from "./agent-key-error.js";

/** Encodes bytes as standard base64 with padding (RFC 4648 §4). */
export function encodeBase64(bytes: Uint8Array): string {
  return view(bytes).toString("base64");
}

/** Encodes bytes as base64url without padding (RFC 4648 §5). */
export function encodeBase64Url(bytes: Uint8Array): string {
  return view(bytes).toString("base64url");
}

/**
 * Decodes standard base64 with padding, and nothing else: no other alphabet, no white space, no stray bits in the last character.
 *
 * @throws {AgentKeyError} `invalid_request` when the text is not canonical
 * @see RFC 4648 §3.5, §4
 */
export function decodeBase64(text: string): Uint8Array {
  return decode(text, "base64");
}

/**
 * Decodes base64url without padding, and nothing else: no other alphabet, no white space, no stray bits in the last character.
 *
 * @throws {AgentKeyError} `invalid_request` when the text is not canonical
 * @see RFC 4648 §3.5, §5
 */
export function decodeBase64Url(text: string): Uint8Array {
  return decode(text, "base64url");
}

// Every text that means some bytes but is not their one encoding differs from it, so that encoding again is a complete check, whatever
// Node's lenient decoder skips. A regular expression for the same would overflow its stack on long texts.
function decode(text: string, encoding: "base64" | "base64url"): Uint8Array {
  if (typeof text === "string") {
    const bytes = Buffer.from(text, encoding);
    if (bytes.toString(encoding) === text) return bytes;
  }
  throw new AgentKeyError("invalid_request", `not canonical ${encoding}`);
}

function view(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes)
    ? bytes
    : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
