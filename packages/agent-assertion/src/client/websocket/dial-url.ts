import { AgentAssertionError } from "../../agent-assertion-error.js";
import type { AssertionOptions } from "../assertion-options.js";

/**
 * The http(s) URL that a WebSocket's handshake is sent to.
 *
 * @throws {AgentAssertionError} `invalid_request` if it is not a ws(s) or http(s) URL
 */
export function dialUrl(url: string | URL): URL {
  const text = String(url).replace(/^ws(s?):/i, "http$1:");
  if (/^https?:/i.test(text) && URL.canParse(text)) return new URL(text);
  throw new AgentAssertionError("invalid_request", "the URL to dial is not a ws(s) URL");
}

/** The same options with origins as they are dialled: `wss://api.example` is `https://api.example`. What is not a text stays as it is. */
export function withHttpOrigins(options: AssertionOptions): AssertionOptions {
  const given: unknown = options?.origins;
  return Array.isArray(given) ? { ...options, origins: given.map(asHttpOrigin) } : options;
}

function asHttpOrigin<Origin>(origin: Origin): Origin | string {
  return typeof origin === "string" ? origin.replace(/^ws(s?):/i, "http$1:") : origin;
}
