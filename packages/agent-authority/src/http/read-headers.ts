import type { IncomingMessage } from "node:http";
import { Refusal } from "../registry/refusal.js";

/** Header values by lower-case name, each line its own element: `node:http` alone drops or joins repeated ones. */
export type HeaderLines = Readonly<Record<string, readonly string[] | undefined>>;

// Of any length: the server bounds the head of a request, and who looks at the token bounds what it reads.
const BEARER = /^bearer +([\x21-\x7e]+)$/i;

/** Takes the header lines as they came. */
export function readHeaderLines(request: IncomingMessage): HeaderLines {
  // Without a prototype, so that no header name finds a member of Object.
  const lines: Record<string, string[]> = Object.create(null);
  const { rawHeaders } = request;
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
    const name = (rawHeaders[i] ?? "").toLowerCase();
    lines[name] ??= [];
    lines[name].push(rawHeaders[i + 1] ?? "");
  }
  return lines;
}

/** The one value of a header, `undefined` when it is absent. Throws `invalid_request` when it stands there twice. */
export function readSingleHeader(headers: HeaderLines, name: string): string | undefined {
  const values = headers[name];
  if (values !== undefined && values.length > 1) {
    throw new Refusal("invalid_request", `the header ${name} stands there more than once`);
  }
  return values?.[0];
}

/** The token of `Authorization: Bearer`, `undefined` when there is none of that form. */
export function readBearerToken(headers: HeaderLines): string | undefined {
  return BEARER.exec(readSingleHeader(headers, "authorization") ?? "")?.[1];
}
