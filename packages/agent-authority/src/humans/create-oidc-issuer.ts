import type { HumanIssuer } from "./human-issuer.js";
import { createIssuerKeyCache } from "./issuer-key-cache.js";
import { mapClaims } from "./map-claims.js";
import type { OidcIssuerOptions } from "./oidc-issuer-options.js";
import { checkOidcOptions } from "./oidc-policy.js";
import { peekIssuer } from "./peek-issuer.js";
import { verifyOidcToken } from "./verify-oidc-token.js";

/**
 * Takes the tokens of an OpenID Connect issuer as proof of a human. Nothing is asked of it here: its keys are asked for at the first token
 * that names it.
 *
 * `authenticate` gives `undefined` for a token that names another issuer; it refuses one that does not hold with `unauthenticated`, whose
 * cause says why, and throws a retryable `unreachable` while the issuer's keys cannot be had.
 *
 * @throws {AgentAuthorityError} `config_invalid` naming issuer and option
 * @see docs/oidc.md
 */
export function createOidcIssuer(options: OidcIssuerOptions): HumanIssuer {
  const policy = checkOidcOptions(options);
  const cache = createIssuerKeyCache(policy);
  return {
    name: policy.name,
    issuer: policy.issuer,
    liveLimits: policy.liveLimits,
    async authenticate(token, nowMs) {
      if (peekIssuer(token) !== policy.issuer) return undefined;
      return mapClaims(await verifyOidcToken(token, policy, cache, nowMs), policy);
    },
  };
}
