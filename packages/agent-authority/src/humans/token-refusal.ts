import { Refusal } from "../registry/refusal.js";

/** Why a token of an issuer was refused. For the operator's log and audit alone: who sent it is not told. */
export type TokenRefusalReason =
  | "malformed"
  | "algorithm"
  | "type"
  | "kid"
  | "signature"
  | "expired"
  | "not_yet_valid"
  | "audience"
  | "claim"
  | "required"
  | "user"
  | "account";

/** The cause of the refusal of an issuer's token. Holds nothing of the token. */
class TokenRefusal extends Error {
  readonly issuer: string;
  readonly reason: TokenRefusalReason;
  /** The name of the claim that decided. */
  readonly claim: string | undefined;

  constructor(issuer: string, reason: TokenRefusalReason, claim: string | undefined) {
    super(`oidc ${issuer}: ${reason}${claim === undefined ? "" : ` ${claim}`}`);
    this.name = "TokenRefusal";
    this.issuer = issuer;
    this.reason = reason;
    this.claim = claim;
  }
}

/**
 * Makes the refusal of a token. The client learns that it is refused, and the operator by the cause why.
 *
 * @param claim - a name out of the configuration or a specification, never out of the token
 */
export function refuseToken(issuer: string, reason: TokenRefusalReason, claim?: string): Refusal {
  return new Refusal("unauthenticated", "this takes a live token of a human", {
    hint: "log in again; if it stays, whoever runs the authority can see why",
    cause: new TokenRefusal(issuer, reason, claim),
  });
}

/** Says why a token was refused, for log and audit: `oidc <issuer>: <reason>`. `undefined` when the error is another. */
export function describeTokenRefusal(error: unknown): string | undefined {
  const cause = error instanceof Refusal ? error.cause : undefined;
  return cause instanceof TokenRefusal ? cause.message : undefined;
}
