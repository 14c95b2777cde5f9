import { AgentAssertionError } from "../../agent-assertion-error.js";

/**
 * The http(s) URL that a WebSocket's handshake is sent to.
 *
 * @throws {AgentAssertionError} `invalid_request` when it is no ws(s) or http(s) URL
 */
export function dialUrl(url: string | URL): URL {
  const text = String(url).replace(/^ws(s?):/i, "http$1:");
  if (/^https?:/i.test(text) && URL.canParse(text)) return new URL(text);
  throw new AgentAssertionError("invalid_request", "the URL to dial is no ws(s) URL");
}

/** Lets origins be named as they are dialled: `wss://api.example` is `https://api.example`. */
export function asHttpOrigin(origin: string): string {
  return origin.replace(/^ws(s?):/i, "http$1:");
}
