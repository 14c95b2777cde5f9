import type { RequestFacts } from "../binding/request-facts.js";
import { splitJoined } from "./field-lines.js";
import { UnreadableBody } from "./unreadable-body.js";

/** The `Authorization` fields of a Fetch request, as far as they can be told apart: `Headers` joins the lines of one name with a comma. */
export function authorizationOf(headers: Headers): readonly string[] {
  const value = headers.get("authorization");
  return value === null ? [] : splitJoined(value);
}

/** Returns whether what a server gave is a Fetch request, of whichever runtime, or a proxy of one. */
export function isFetchRequest(value: unknown): value is Request {
  const { url, headers } = (value ?? {}) as Partial<Request>;
  return typeof url === "string" && typeof headers?.get === "function";
}

/** Path and query of a Fetch request as it says them: a URL parser has been over them. */
export function fetchTargetOf(request: Request): string {
  const { origin } = new URL(request.url);
  return request.url.slice(origin.length).replace(/#.*$/s, "");
}

/**
 * Whether a Fetch request has a body, as far as it is known before it is read: runtimes give a stream to requests without a body as well,
 * and `Content-Length` is what the client says.
 */
export function fetchHasBody(request: Request): false | undefined {
  return request.body === null ? false : undefined;
}

/**
 * Reads the whole body of a Fetch request. Who wants it again needs a new request.
 *
 * @throws {UnreadableBody} `invalid_request` over `maxBytes` (413), and for GET and HEAD, which have no body in Fetch; `cancelled` when the
 * client went away; `config_invalid` when another reader was there first
 */
export async function readFetchBody(request: Request, maxBytes: number): Promise<Uint8Array> {
  if (request.bodyUsed) {
    throw new UnreadableBody(
      "config_invalid",
      "the request's body was read before its assertion was checked",
      { hint: "check it before anything reads the body" },
    );
  }
  if (request.method === "GET" || request.method === "HEAD") {
    throw new UnreadableBody("invalid_request", `a body of ${request.method} cannot be read here`);
  }
  const chunks: Uint8Array[] = [];
  let size = 0;
  try {
    for await (const chunk of request.body ?? []) {
      size += chunk.length;
      if (size > maxBytes) break;
      chunks.push(chunk);
    }
  } catch (cause) {
    const message = "the request ended before its body was read";
    throw new UnreadableBody("cancelled", message, { cause });
  }
  if (size <= maxBytes) return Buffer.concat(chunks, size);
  throw new UnreadableBody(
    "invalid_request",
    `the body of a bound request may have ${maxBytes} bytes at most`,
    { status: 413 },
  );
}

/** Returns a Fetch request that has its body again, after {@link readFetchBody}. */
export function putFetchBody(request: Request, body: Uint8Array): Request {
  try {
    // Keeps what a runtime has beside the standard's members, such as `cf` of Workers.
    return new Request(request, { body });
  } catch {
    // Next.js gives a proxy of its request, which no constructor takes.
    const { url, method, headers, signal } = request;
    return new Request(url, { method, headers, signal, body });
  }
}

/** The field lines of a Fetch request: names in lower case, one line for each. */
export function fetchFieldLines(headers: Headers): RequestFacts["rawHeaders"] {
  return [...headers].flat();
}
