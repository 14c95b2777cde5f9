import { createOidcIssuer } from "./create-oidc-issuer.js";
import type { OidcIssuerOptions } from "./oidc-issuer-options.js";
import { peekIssuer } from "./peek-issuer.js";
import type { HumanPrincipal } from "./principal.js";
import { tokenRefusalFields } from "./token-refusal.js";

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
    if (principal !== undefined) return { principal };
  } catch (error) {
    const fields = tokenRefusalFields(error);
    if (fields === undefined) throw error;
    return fields;
  }
  const seen = JSON.stringify(peekIssuer(token)) ?? "nothing";
  return { reason: `oidc ${options.name}: issuer iss`, seen, expected: options.issuer };
}
