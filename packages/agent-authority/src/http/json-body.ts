import { Refusal } from "../registry/refusal.js";

/** Reads a JSON body strictly: UTF-8 without a byte order mark. Throws `invalid_request`. */
export function parseJsonBody(bytes: Uint8Array): unknown {
  try {
    const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
    return JSON.parse(text);
  } catch (cause) {
    throw new Refusal("invalid_request", "the body is not JSON", { cause });
  }
}
