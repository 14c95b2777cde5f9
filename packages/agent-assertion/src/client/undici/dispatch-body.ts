import type { Readable } from "node:stream";
import type { Dispatcher } from "undici";
import { isReplayableValue } from "../request-body.js";

type Body = NonNullable<Dispatcher.DispatchOptions["body"]>;

/**
 * Gives a request a new body for each attempt, so that a request with a stream can be sent again on 401, on a retry and on a redirect. Only for
 * a dispatcher that was composed with `assertionInterceptor`; other dispatchers refuse such a body.
 */
export function repeatableBody(make: () => Readable | AsyncIterable<Uint8Array>): Body {
  // undici's types know no functions; the interceptor calls it before undici sees it.
  return make as unknown as Body;
}

/** The body of one attempt: a function makes it now. */
export function attemptBody(body: Dispatcher.DispatchOptions["body"]): Body | null {
  const given: unknown = body;
  return typeof given === "function" ? given() : (body ?? null);
}

/** Whether the same body can be sent once more: a value, a function, or what can be iterated again. */
export function isReplayableBody(body: unknown): boolean {
  if (typeof body === "function" || isReplayableValue(body)) return true;
  return typeof body === "object" && body !== null && isIterableAgain(body);
}

/** Whether a body may fail on its own before it is sent. */
export function isNodeStream(body: unknown): body is Readable {
  return typeof body === "object" && body !== null && "pipe" in body && "on" in body;
}

// Generators are their own iterators. Streams of either kind are used up. undici wraps what it will iterate only once, and marks it by a
// symbol of its own.
function isIterableAgain(body: object): boolean {
  if (isNodeStream(body) || "getReader" in body) return false;
  const symbols: readonly symbol[] = [Symbol.iterator, Symbol.asyncIterator];
  if (!Object.getOwnPropertySymbols(body).every((own) => symbols.includes(own))) return false;
  return symbols.some((symbol) => {
    const iterate: unknown = Reflect.get(body, symbol);
    return typeof iterate === "function" && iterate.call(body) !== body;
  });
}
