import { subscribe, unsubscribe } from "node:diagnostics_channel";
import type { IncomingMessage } from "node:http";

// The channel on which Node reports every request of every HTTP server in this process.
const CHANNEL = "http.server.request.start";
const FORWARDED = /^(?:forwarded|x-forwarded-(?:for|host|port|proto|prefix|server))$/;

/**
 * Calls a listener for each request that came through a proxy, seen by the fields that proxies add.
 *
 * @param listener - takes the name of the field, in lower case
 * @returns an object whose disposal stops the calls
 */
export function onForwardedRequest(listener: (field: string) => void): Disposable {
  const onRequest = (message: unknown) => {
    const field = isRequestMessage(message) ? forwardedField(message.request) : undefined;
    if (field !== undefined) listener(field);
  };
  subscribe(CHANNEL, onRequest);
  return {
    [Symbol.dispose]() {
      unsubscribe(CHANNEL, onRequest);
    },
  };
}

function forwardedField({ headers }: IncomingMessage): string | undefined {
  return Object.keys(headers).find((name) => FORWARDED.test(name));
}

function isRequestMessage(message: unknown): message is { readonly request: IncomingMessage } {
  return typeof message === "object" && message !== null && "request" in message;
}
