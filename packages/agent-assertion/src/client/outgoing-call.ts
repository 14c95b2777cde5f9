/** The input and the options of a `fetch` call. */
export type FetchInput = Parameters<typeof globalThis.fetch>[0];
export type FetchInit = NonNullable<Parameters<typeof globalThis.fetch>[1]>;

/** One request of a `fetch` call: the first, or the one that a redirect asks for. */
export interface Hop {
  readonly url: URL;
  readonly method: string;
  readonly headers: Headers;
  /** Whether the same body can be sent once more. */
  readonly isReplayable: boolean;
  /** What to hand to `fetch`: a URL, or the caller's own `Request` for the first hop. */
  readonly input: FetchInput;
  readonly init: FetchInit;
}

/** A `fetch` call taken apart. */
export interface OutgoingCall {
  readonly first: Hop;
  readonly signal: AbortSignal | undefined;
  readonly redirect: "follow" | "error" | "manual";
}

// Values that `fetch` reads without using them up. A name of its own misleads nobody but the caller.
const REPLAYABLE: ReadonlySet<string> = new Set([
  "ArrayBuffer",
  "Blob",
  "File",
  "FormData",
  "URLSearchParams",
]);

/**
 * Takes a `fetch` call apart without using up its body.
 *
 * @returns `undefined` for a URL that `fetch` itself will refuse
 */
export function describeCall(
  input: FetchInput,
  init: FetchInit | undefined,
): OutgoingCall | undefined {
  const request = isRequest(input) ? input : undefined;
  // Read once: what is sent later must go where its origin was checked, whatever the caller's object says by then.
  const href = request?.url ?? String(input);
  if (!URL.canParse(href)) return undefined;
  // As `fetch` has it: headers and body of the options replace those of the request.
  const body = init?.body ?? request?.body;
  return {
    first: {
      url: new URL(href),
      method: normalised(init?.method ?? request?.method ?? "GET"),
      headers: new Headers(init?.headers ?? [...(request?.headers ?? [])]),
      isReplayable: isReplayable(body),
      input: request ?? href,
      init: { ...init },
    },
    signal: init?.signal ?? request?.signal,
    redirect: init?.redirect ?? request?.redirect ?? "follow",
  };
}

// Methods are case-sensitive but for these, which the fetch standard writes in upper case.
function normalised(method: string): string {
  return /^(?:delete|get|head|options|post|put)$/i.test(method) ? method.toUpperCase() : method;
}

// A request of another copy of `fetch` is no instance of the global class. What is merely built like one, `fetch` takes for a URL.
function isRequest(input: FetchInput): input is Request {
  return Object.prototype.toString.call(input) === "[object Request]";
}

function isReplayable(body: unknown): boolean {
  if (body === undefined || body === null || typeof body === "string") return true;
  if (ArrayBuffer.isView(body)) return true;
  return REPLAYABLE.has(Object.prototype.toString.call(body).slice("[object ".length, -1));
}
