import type { IncomingMessage, ServerResponse } from "node:http";
import type { RequestFacts } from "../binding/request-facts.js";
import { fieldLines } from "./field-lines.js";
import { takeBody, tooLarge } from "./take-body.js";

/** A request of Node's `http`, or of a framework that stands on it. */
export type NodeRequest = IncomingMessage & {
  /** The target before a mounted router took its prefix off (connect, Express), or before it was rewritten (Fastify). */
  readonly originalUrl?: string | undefined;
  /** HTTP/2 only. */
  readonly stream?: { readonly endAfterHeaders: boolean } | undefined;
};

/** What {@link factsOf} goes by. */
export interface FactsOptions {
  /** The target as it stood in the request line, where the framework keeps it elsewhere than on the request. */
  readonly target?: string | undefined;
  /** Gives the exact bytes of a body that was read before the check. */
  readonly rawBody?: ((request: IncomingMessage) => Uint8Array | undefined) | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Returns what a verifier needs from one of Node's requests. Reads only the head; the body is read when the verifier asks for it. */
export function factsOf(request: NodeRequest, options: FactsOptions = {}): RequestFacts {
  const { rawHeaders } = request;
  const { rawBody, signal, target = targetOf(request) } = options;
  const length = lengthOf(rawHeaders);
  const framed = hasBody(request);
  return {
    method: request.method ?? "",
    target,
    rawHeaders,
    // The fields of a body that something else read are what the client said, and no parser held the body to them.
    hasBody: rawBody === undefined ? framed : undefined,
    async body(maxBytes) {
      const kept = rawBody?.(request);
      if (kept !== undefined && kept.length > maxBytes) throw tooLarge(maxBytes);
      if (kept !== undefined || framed === false) return kept ?? new Uint8Array();
      return takeBody(request, { length, maxBytes, signal });
    },
  };
}

/** The target as it stood in the request line, whatever prefix a mounted router took off. */
export function targetOf(request: NodeRequest): string {
  return request.originalUrl ?? request.url ?? "";
}

/**
 * Whether the framing of a request says that it has a body. Node's parser holds a body to its `Content-Length`. HTTP/2 needs no field for
 * it: there the head says whether anything follows. `undefined`: chunks follow, and all of them may be empty (RFC 9112 §6.3,
 * RFC 9113 §8.1).
 */
export function hasBody(request: NodeRequest): boolean | undefined {
  if (fieldLines(request.rawHeaders, "transfer-encoding").length > 0) return undefined;
  const length = lengthOf(request.rawHeaders);
  if (length !== undefined) return length !== 0;
  return request.httpVersionMajor >= 2 && request.stream?.endAfterHeaders !== true;
}

// Node refuses a request whose lengths differ or are not numbers.
function lengthOf(rawHeaders: readonly string[]): number | undefined {
  const [length] = fieldLines(rawHeaders, "content-length");
  return length === undefined ? undefined : Number(length);
}

/** Returns whether two values that a framework gave are a request of Node's `http` and the response to it. */
export function isNodeExchange(request: unknown, response: unknown): boolean {
  const { rawHeaders } = (request ?? {}) as Partial<IncomingMessage>;
  const { writeHead } = (response ?? {}) as Partial<ServerResponse>;
  return Array.isArray(rawHeaders) && typeof writeHead === "function";
}
