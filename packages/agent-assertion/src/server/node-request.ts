import type { IncomingMessage } from "node:http";
import type { RequestFacts } from "../binding/request-facts.js";
import { fieldLines } from "./field-lines.js";
import { takeBody } from "./take-body.js";

/** A request of Node's `http`, or of a framework that stands on it. */
export type NodeRequest = IncomingMessage & {
  /** The target before a mounted router took its prefix off (connect, Express), or before it was rewritten (Fastify). */
  readonly originalUrl?: string | undefined;
};

/** What {@link factsOf} goes by. */
export interface FactsOptions {
  /** Gives the exact bytes of a body that was read before the check. */
  readonly rawBody?: ((request: IncomingMessage) => Uint8Array | undefined) | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** What a verifier must know of one of Node's requests. Nothing is read but the head; the body waits until the verifier asks for it. */
export function factsOf(request: NodeRequest, options: FactsOptions = {}): RequestFacts {
  const { rawHeaders } = request;
  const length = lengthOf(rawHeaders);
  return {
    method: request.method ?? "",
    target: targetOf(request),
    rawHeaders,
    hasBody: hasBody(rawHeaders),
    async body(maxBytes) {
      const kept = options.rawBody?.(request);
      return kept ?? (await takeBody(request, { length, maxBytes, signal: options.signal }));
    },
  };
}

/** The target as it stood in the request line, whatever prefix a mounted router took off. */
export function targetOf(request: NodeRequest): string {
  return request.originalUrl ?? request.url ?? "";
}

/** Whether the framing of a request says that it has a body (RFC 9112 §6.3); one of no bytes is none. */
export function hasBody(rawHeaders: readonly string[]): boolean {
  const length = lengthOf(rawHeaders);
  return fieldLines(rawHeaders, "transfer-encoding").length > 0 || (length ?? 0) !== 0;
}

// Node refuses a request whose lengths differ or are none.
function lengthOf(rawHeaders: readonly string[]): number | undefined {
  const [length] = fieldLines(rawHeaders, "content-length");
  return length === undefined ? undefined : Number(length);
}
