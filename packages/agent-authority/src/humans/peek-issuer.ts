/** Nothing longer is looked at. The default of `limits.maxHeaderBytes` has room for it. */
export const MAX_TOKEN_CHARACTERS = 32_768;
const COMPACT_JWS = /^[\w-]+\.[\w-]+\.[\w-]+$/;

/**
 * Reads which issuer a token says that it is of. Nothing is verified: it only chooses who looks at the token.
 *
 * @param token - of any form
 * @returns `undefined` when it is no signed JWT of at most 32 KiB, or names no issuer
 */
export function peekIssuer(token: string): string | undefined {
  const { iss } = peekClaims(token) ?? {};
  return typeof iss === "string" ? iss : undefined;
}

/** Reads the claims of a token; `undefined` when it is no signed JWT of at most 32 KiB. Nothing is verified. */
export function peekClaims(token: string): Readonly<Record<string, unknown>> | undefined {
  if (token.length > MAX_TOKEN_CHARACTERS || !COMPACT_JWS.test(token)) return undefined;
  return parsePart(token.split(".")[1]);
}

/** Reads the header of a token. Nothing is verified. */
export function peekHeader(token: string): Readonly<Record<string, unknown>> | undefined {
  return parsePart(token.split(".")[0]);
}

function parsePart(part = ""): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(part, "base64url").toString("utf8"));
    return typeof value === "object" && value !== null ? { ...value } : undefined;
  } catch {
    // A token is opaque unless it is a JWT.
    return undefined;
  }
}
