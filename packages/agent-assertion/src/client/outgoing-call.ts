import { isReplayableValue, knownBody } from "./request-body.js";

/** The input and the options of a `fetch` call. */
export type FetchInput = Parameters<typeof globalThis.fetch>[0];
export type FetchInit = NonNullable<Parameters<typeof globalThis.fetch>[1]>;

/** The options of a `fetch` call whose body may also be a function. */
export type AssertedInit = Omit<FetchInit, "body" | "duplex"> & {
  /** As `fetch` has it; or a function that makes a new stream for each attempt, so that the request can be sent again. */
  readonly body?: FetchInit["body"] | (() => ReadableStream) | undefined;
  /** What a stream as a body needs; the DOM's types of `fetch` leave it out. */
  readonly duplex?: "half";
};

/** One request of a `fetch` call: the first, or the one that a redirect asks for. */
export interface Hop {
  readonly url: URL;
  readonly method: string;
  /** A copy of its own, without what is made for one attempt; `undefined`: the caller gave none. */
  readonly headers: Headers | undefined;
  /** Whether the same body can be sent once more. */
  readonly isReplayable: boolean;
  /** What to hand to `fetch`: a URL, or the caller's own `Request` for the first hop. */
  readonly input: FetchInput;
  readonly init: AssertedInit;
  /** The bytes of the body, if it was read to be bound. */
  readonly bytes?: Uint8Array | undefined;
}

/** A `fetch` call taken apart. */
export interface OutgoingCall {
  readonly first: Hop;
  readonly signal: AbortSignal | undefined;
  readonly redirect: "follow" | "error" | "manual";
}

/**
 * Takes a `fetch` call apart without using up its body.
 *
 * @returns `undefined` for a URL that `fetch` itself will refuse
 */
export function describeCall(
  input: FetchInput,
  init: AssertedInit | undefined,
): OutgoingCall | undefined {
  const request = isRequest(input) ? input : undefined;
  // Read once: what is sent later must go where its origin was checked, whatever the caller's object says by then.
  const href = request?.url ?? String(input);
  const url = URL.parse(href);
  if (url === null) return undefined;
  // As `fetch` has it: headers and body of the options replace those of the request.
  const body = init?.body ?? request?.body;
  const headers = init?.headers ?? request?.headers;
  return {
    first: {
      url,
      method: normalised(init?.method ?? request?.method ?? "GET"),
      headers: headers && new Headers(headers),
      isReplayable: typeof body === "function" || isReplayableValue(body),
      input: request ?? href,
      init: { ...init },
    },
    signal: init?.signal ?? request?.signal,
    redirect: init?.redirect ?? request?.redirect ?? "follow",
  };
}

/**
 * The same hop with a body whose bytes are known, to be bound.
 *
 * @throws {AgentAssertionError} `invalid_request` when its body is a stream, or a `Request`'s, which is one
 */
export async function withKnownBody(hop: Hop): Promise<Hop> {
  const request = isRequest(hop.input) ? hop.input : undefined;
  const { bytes, type } = await knownBody(hop.init.body ?? request?.body);
  if (bytes === undefined) return hop;
  const headers = new Headers(hop.headers);
  if (type !== undefined && !headers.has("content-type")) headers.set("content-type", type);
  return { ...hop, headers, bytes, init: { ...hop.init, body: bytes } };
}

/** The options of one attempt: a function makes the body now. Those of a call without such a function are not changed. */
export function attemptInit(init: AssertedInit): FetchInit {
  const { body, ...others } = init;
  if (typeof body === "function") return { ...others, body: body(), duplex: "half" };
  return init as FetchInit;
}

// Methods are case-sensitive but for these, which the fetch standard writes in upper case.
function normalised(method: string): string {
  return /^(?:delete|get|head|options|post|put)$/i.test(method) ? method.toUpperCase() : method;
}

// A request of another copy of `fetch` is no instance of the global class. What is merely built like one, `fetch` takes for a URL.
function isRequest(input: FetchInput): input is Request {
  return Object.prototype.toString.call(input) === "[object Request]";
}
