import { subscribe, unsubscribe } from "node:diagnostics_channel";
import type { IncomingMessage } from "node:http";

// Node tells of every request that any HTTP server of this process takes.
const CHANNEL = "http.server.request.start";
const FORWARDED = /^(?:forwarded|x-forwarded-(?:for|host|port|proto|prefix|server))$/;

/**
 * Hears of requests that came through a proxy, by the fields that proxies add.
 *
 * @param listener - takes the name of the field, in lower case
 * @returns stops listening
 */
export function onForwardedRequest(listener: (field: string) => void): Disposable {
  const hear = (message: unknown) => {
    const field = isRequestMessage(message) ? forwardedField(message.request) : undefined;
    if (field !== undefined) listener(field);
  };
  subscribe(CHANNEL, hear);
  return {
    [Symbol.dispose]() {
      unsubscribe(CHANNEL, hear);
    },
  };
}

function forwardedField({ headers }: IncomingMessage): string | undefined {
  return Object.keys(headers).find((name) => FORWARDED.test(name));
}

function isRequestMessage(message: unknown): message is { readonly request: IncomingMessage } {
  return typeof message === "object" && message !== null && "request" in message;
}
