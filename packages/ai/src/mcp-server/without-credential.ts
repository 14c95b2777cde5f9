import type { IncomingMessage } from "node:http";

// What proves the caller. Tools see a request's fields, and may log them.
const CREDENTIAL_FIELDS = ["authorization", "signature", "signature-input"];

/** Removes from one of Node's requests what proved its caller. */
export function removeCredential(request: IncomingMessage): void {
  for (const name of CREDENTIAL_FIELDS) {
    delete request.headers[name];
    delete request.headersDistinct[name];
  }
  const lines = request.rawHeaders;
  request.rawHeaders = lines.filter((_, at) => {
    const name = lines[at - (at % 2)] ?? "";
    return !CREDENTIAL_FIELDS.includes(name.toLowerCase());
  });
}

/** Makes a request like the given one, without what proved its caller. */
export function withoutCredential(request: Request): Request {
  const headers = new Headers(request.headers);
  for (const name of CREDENTIAL_FIELDS) headers.delete(name);
  try {
    return new Request(request, { headers });
  } catch {
    // Next.js gives a proxy of its request, which no constructor takes.
    const { url, method, signal, body } = request;
    return new Request(url, { method, headers, signal, body, duplex: "half" });
  }
}
