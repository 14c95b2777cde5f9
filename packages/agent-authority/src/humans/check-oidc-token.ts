import type { Refusal } from "../registry/refusal.js";
import { createOidcIssuer } from "./create-oidc-issuer.js";
import type { HumanPrincipal } from "./human-issuer.js";
import type { OidcIssuerOptions } from "./oidc-issuer-options.js";
import { MAX_TOKEN_CHARACTERS, peekClaims } from "./peek-issuer.js";
import { refuseLength, refuseToken, tokenRefusalFields } from "./token-refusal.js";

/** What the configuration of an issuer makes of a token. */
export interface OidcTokenReport {
  /** The check that failed, as in the log: `oidc <name>: <reason>`. `undefined`: the token is taken. */
  readonly reason?: string | undefined;
  /** The value that decided, as JSON, or `nothing`. */
  readonly seen?: string | undefined;
  readonly expected?: string | undefined;
  /** Whose the token is, if it is taken. */
  readonly principal?: HumanPrincipal | undefined;
}

/**
 * Tries a token against the configuration of an issuer, as an authority with this issuer does. Asks the issuer for its keys.
 *
 * @param nowMs - epoch milliseconds
 * @throws {AgentAuthorityError} `config_invalid` naming issuer and option; `unreachable` if the issuer's keys cannot be had
 */
export async function checkOidcToken(
  options: OidcIssuerOptions,
  token: string,
  nowMs: number = Date.now(),
): Promise<OidcTokenReport> {
  const issuer = createOidcIssuer(options);
  try {
    const principal = await issuer.authenticate(token, nowMs);
    if (principal === undefined) throw refuseOther(options, token);
    return { principal };
  } catch (error) {
    const fields = tokenRefusalFields(error);
    if (fields === undefined) throw error;
    return fields;
  }
}

// An authority leaves such a token to its other issuers.
function refuseOther({ name, issuer }: OidcIssuerOptions, token: string): Refusal {
  if (token.length > MAX_TOKEN_CHARACTERS) return refuseLength(name, token);
  const claims = peekClaims(token);
  if (claims !== undefined) {
    return refuseToken(name, "issuer", { claim: "iss", seen: claims.iss, expected: issuer });
  }
  const parts = token.split(".").length;
  return refuseToken(name, "malformed", {
    seen: parts === 1 ? "1 part" : `${parts} parts`,
    expected: "a signed JWT: three parts in base64url, the first two with JSON",
  });
}
