import { describeServerText } from "@countersign/agent-key/redaction";
import { IdentityJwtError } from "./identity-jwt-error.js";

/** What a token was held against. */
export interface Expected {
  readonly issuer: string;
  readonly audience: string;
}

/**
 * Says why the library refused a token. Its own error is not kept as the cause: it carries the payload, and so the agent's private key.
 */
export function fromJoseError(
  error: unknown,
  expected: Expected & { readonly kid: string },
): IdentityJwtError {
  const { code, claim, payload } = membersOf(error);
  switch (code) {
    case "ERR_JWS_SIGNATURE_VERIFICATION_FAILED":
      return new IdentityJwtError(
        "signature",
        `the identity JWT's signature does not hold for key ${showValue(expected.kid)}`,
      );
    case "ERR_JWT_EXPIRED":
    case "ERR_JWT_CLAIM_VALIDATION_FAILED":
      // The library takes a list that has the audience, and complains of a later claim.
      if (Array.isArray(payload.aud) && claim !== "iss")
        return claimError("aud", payload, expected);
      return claimError(claim, payload, expected, code === "ERR_JWT_EXPIRED");
    case "ERR_JWS_INVALID":
    case "ERR_JWT_INVALID":
    case "ERR_JOSE_NOT_SUPPORTED":
      return new IdentityJwtError("malformed", "not an identity JWT: it is no signed JSON object");
    default:
      // What is left is about the key: of another algorithm or use, too short, twice in the set, or no key at all.
      return new IdentityJwtError(
        "kid",
        `key ${showValue(expected.kid)} of the key set cannot be used for RS256`,
      );
  }
}

/** Says what is wrong with a claim of a payload whose signature holds. */
export function claimError(
  claim: string,
  payload: Readonly<Record<string, unknown>>,
  expected: Expected,
  isExpired = false,
): IdentityJwtError {
  const value = Object.hasOwn(payload, claim) ? payload[claim] : undefined;
  if (isExpired) {
    const at = new Date(Number(value) * 1000);
    const when = Number.isNaN(at.getTime()) ? "" : ` at ${at.toISOString().slice(0, 19)}Z`;
    return new IdentityJwtError("expired", `the identity JWT expired${when}`, { claim });
  }
  if (value === undefined) {
    const message = `the identity JWT has no claim ${claim}`;
    return new IdentityJwtError("claim", message, { claim });
  }
  switch (claim) {
    case "iss": {
      const message = `the identity JWT is of issuer ${showValue(value)}, not of ${expected.issuer}`;
      return new IdentityJwtError("issuer", message, { claim });
    }
    case "aud": {
      const message = `the identity JWT is for ${showValue(value)}, not for ${expected.audience}`;
      return new IdentityJwtError("audience", message, { claim });
    }
    case "nbf":
      return new IdentityJwtError("claim", "the identity JWT is not valid yet (nbf)", {
        claim,
        code: typeof value === "number" ? "not_yet_valid" : "malformed",
        hint: "check this machine's clock",
      });
    default: {
      const message = `the identity JWT's claim ${claim} is not what it should be`;
      return new IdentityJwtError("claim", message, { claim });
    }
  }
}

/** Shows a value of a token that is no secret: a text in quotes, escaped; of anything else its type. */
export function showValue(value: unknown): string {
  if (value === undefined) return "nothing";
  if (typeof value !== "string") return Array.isArray(value) ? "a list" : `a ${typeof value}`;
  return `"${describeServerText(value)}"`;
}

function membersOf(error: unknown): {
  readonly code: unknown;
  readonly claim: string;
  readonly payload: Readonly<Record<string, unknown>>;
} {
  const members: Readonly<Record<string, unknown>> = error instanceof Error ? { ...error } : {};
  const { code, claim, payload } = members;
  return {
    code,
    claim: typeof claim === "string" ? claim : "",
    payload: typeof payload === "object" && payload !== null ? { ...payload } : {},
  };
}
