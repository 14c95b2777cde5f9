import {
  JOSENotSupported,
  JWSInvalid,
  JWTClaimValidationFailed,
  JWTExpired,
  JWTInvalid,
} from "jose/errors";
import { type JWTVerifyOptions, jwtVerify } from "jose/jwt/verify";
import type { IssuerKey } from "./fetch-issuer-keys.js";
import type { IssuerKeyCache } from "./issuer-key-cache.js";
import type { OidcPolicy } from "./oidc-policy.js";
import { peekHeader } from "./peek-issuer.js";
import { refuseToken, type TokenFinding, type TokenRefusalReason } from "./token-refusal.js";

// An ID token, an access token (RFC 9068), or one that does not say. Others are signed by the same keys and are no proof of a human.
const TYPES: ReadonlySet<unknown> = new Set([undefined, "jwt", "at+jwt", "application/at+jwt"]);

/**
 * Verifies a token that names this issuer and gives its claims.
 *
 * Checked in this order: `alg`, `typ` and `kid` of the header; the key of that id; the signature; `iss`, `aud`, `nbf`, `exp`; that it is no
 * logout token, and not bound to a key that its sender would have to show. `jku`, `x5u`, `jwk` and `x5c` of the header are never looked at.
 * Not checked: whether the issuer has revoked it.
 *
 * @throws {Refusal} `unauthenticated`, with the reason as its cause
 * @throws {AgentAuthorityError} `unreachable` when the keys cannot be had
 * @see RFC 7519 §7.2, RFC 8725, RFC 9068 §4
 */
export async function verifyOidcToken(
  token: string,
  policy: OidcPolicy,
  cache: IssuerKeyCache,
  nowMs: number,
): Promise<Readonly<Record<string, unknown>>> {
  const refuse = (reason: TokenRefusalReason, finding?: TokenFinding) =>
    refuseToken(policy.name, reason, finding);
  const { alg, typ, kid } = peekHeader(token) ?? {};
  if (!policy.algorithms.some((algorithm) => algorithm === alg)) {
    throw refuse("algorithm", { seen: alg, expected: policy.algorithms.join(" or ") });
  }
  if (!TYPES.has(typeof typ === "string" ? typ.toLowerCase() : typ)) {
    throw refuse("type", { seen: typ, expected: "JWT, at+jwt or none" });
  }
  const expected = "the id of a key of the issuer; none only where the issuer has a single key";
  if (kid !== undefined && (typeof kid !== "string" || kid === "")) {
    throw refuse("kid", { seen: kid, expected });
  }
  const keys = await cache.find(kid, nowMs);
  if (keys.length === 0) throw refuse("kid", { seen: kid, expected });
  const payload = await verifyByAny(token, keys, policy, nowMs);
  // The library takes a list that has the audience.
  const { aud, events, cnf } = payload;
  if (Array.isArray(aud) && aud.length !== 1 && !policy.acceptAudienceLists) {
    throw refuse("audience", { seen: aud, expected: `${policy.audience} alone` });
  }
  // OpenID Connect Back-Channel Logout §2.4: `events` marks a logout token.
  if (events !== undefined) {
    throw refuse("type", { seen: "events", expected: "no logout token" });
  }
  // RFC 7800, RFC 9449 §7: who sends it must also show a key, which is not asked for here.
  if (cnf !== undefined) throw refuse("claim", { claim: "cnf" });
  return payload;
}

async function verifyByAny(
  token: string,
  keys: readonly IssuerKey[],
  policy: OidcPolicy,
  nowMs: number,
): Promise<Readonly<Record<string, unknown>>> {
  const options: JWTVerifyOptions = {
    algorithms: [...policy.algorithms],
    issuer: policy.issuer,
    audience: policy.audience,
    clockTolerance: policy.clockToleranceSeconds,
    currentDate: new Date(nowMs),
    requiredClaims: ["exp"],
  };
  let reason: TokenRefusalReason = "signature";
  let finding: TokenFinding = {};
  // Two keys may have one id: then one of them has signed.
  for (const key of keys) {
    try {
      return (await jwtVerify(token, key, options)).payload;
    } catch (error) {
      reason = reasonOf(error);
      finding = findingOf(error, policy, nowMs);
      if (reason !== "signature") break;
    }
  }
  // The library's error is not kept: it holds the claims.
  throw refuseToken(policy.name, reason, finding);
}

// The library looks at claims only once the signature holds.
function findingOf(error: unknown, policy: OidcPolicy, nowMs: number): TokenFinding {
  if (!(error instanceof JWTExpired || error instanceof JWTClaimValidationFailed)) return {};
  const seen = error.payload[error.claim];
  const now = new Date(nowMs).toISOString();
  if (error.claim === "aud") return { seen, expected: policy.audience };
  if (error.claim === "exp") return { seen, expected: `seconds after ${now}` };
  return error.claim === "nbf" ? { seen, expected: `seconds up to ${now}` } : {};
}

function reasonOf(error: unknown): TokenRefusalReason {
  if (error instanceof JWTExpired) return "expired";
  if (error instanceof JWTClaimValidationFailed) {
    if (error.claim === "aud") return "audience";
    if (error.claim === "exp") return "expired";
    return error.claim === "nbf" ? "not_yet_valid" : "claim";
  }
  if (error instanceof JWTInvalid || error instanceof JWSInvalid) return "malformed";
  if (error instanceof JOSENotSupported) return "malformed";
  // The signature is another's, or the key is not for this algorithm, or too short for any.
  return "signature";
}
