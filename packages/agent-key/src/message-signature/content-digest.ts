import { createHash } from "node:crypto";

/**
 * The value of a `Content-Digest` field over the bytes of a body as they are sent: `sha-256=:…:`.
 *
 * @see RFC 9530 §2
 */
export function contentDigest(body: Uint8Array): string {
  return `sha-256=:${createHash("sha256").update(body).digest("base64")}:`;
}
