import type { IncomingMessage } from "node:http";

/** A request as it arrived. */
export interface RecordedRequest {
  readonly method: string;
  /** The raw request target. */
  readonly url: string;
  /** Header lines in order, names as they were written. */
  readonly rawHeaders: readonly (readonly [name: string, value: string])[];
  /** The body as UTF-8 text. */
  readonly body: string;
  /** The body's bytes. */
  readonly bytes: Uint8Array;
}

/** The value of a header of a recorded request; several lines are joined with a comma. */
export function headerOf(request: RecordedRequest, name: string): string | undefined {
  const values = request.rawHeaders
    .filter(([key]) => key.toLowerCase() === name.toLowerCase())
    .map(([, value]) => value);
  return values.length === 0 ? undefined : values.join(", ");
}

/** @internal */
export async function recordRequest(request: IncomingMessage): Promise<RecordedRequest> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk);
  const bytes = Buffer.concat(chunks);
  const rawHeaders: [string, string][] = [];
  for (let i = 0; i + 1 < request.rawHeaders.length; i += 2) {
    rawHeaders.push([request.rawHeaders[i] ?? "", request.rawHeaders[i + 1] ?? ""]);
  }
  return {
    method: request.method ?? "",
    url: request.url ?? "",
    rawHeaders,
    body: bytes.toString("utf8"),
    bytes: Uint8Array.from(bytes),
  };
}
