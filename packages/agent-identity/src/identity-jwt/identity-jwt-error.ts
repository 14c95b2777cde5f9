import type { Code, CountersignErrorOptions } from "@countersign/agent-key";
import { AgentIdentityError } from "../agent-identity-error.js";

/** Why an identity JWT is refused, in the order of the checks. */
export const IDENTITY_JWT_REASONS = [
  "malformed",
  "algorithm",
  "kid",
  "signature",
  "issuer",
  "audience",
  "claim",
  "expired",
  "key",
] as const;

/** One reason of {@link IDENTITY_JWT_REASONS}. */
export type IdentityJwtReason = (typeof IDENTITY_JWT_REASONS)[number];

const CODE_OF: Readonly<Record<IdentityJwtReason, Code>> = {
  malformed: "malformed",
  algorithm: "bad_signature",
  kid: "bad_signature",
  signature: "bad_signature",
  issuer: "unauthenticated",
  audience: "unauthenticated",
  claim: "malformed",
  // The agent of an identity JWT ends with it (docs/protocol.md §13.2).
  expired: "agent_expired",
  key: "invalid_key",
};

const HINT_OF: Readonly<Record<IdentityJwtReason, string>> = {
  malformed: "give the identity JWT alone, as it was issued",
  algorithm: "ask its issuer for an identity JWT that is signed with RS256",
  kid: "check that the key set is that of its issuer",
  signature: "check that the key set is that of its issuer, and that the identity JWT is whole",
  issuer: "give an identity JWT of the issuer that this program is told to trust",
  audience: "ask its issuer for an identity JWT that is meant for this program",
  claim: "ask its issuer for a whole identity JWT",
  expired: "get a new identity JWT and log in with it",
  key: "ask its issuer for an identity JWT with an Ed25519 key in base64 of PKCS#8",
};

/** What an {@link IdentityJwtError} holds besides its reason. */
export interface IdentityJwtErrorOptions extends CountersignErrorOptions {
  /** The claim at fault. */
  readonly claim?: string | undefined;
  /** Default: that of the reason. */
  readonly code?: Code | undefined;
}

/**
 * An identity JWT that is refused. Neither its message nor its cause holds the token or the key in it.
 *
 * Codes by reason: `malformed` (malformed; claim), `bad_signature` (algorithm, kid, signature), `unauthenticated` (issuer, audience),
 * `agent_expired` (expired), `invalid_key` (key); a claim `nbf` that lies ahead is `not_yet_valid`.
 */
export class IdentityJwtError extends AgentIdentityError {
  static override readonly brandName: string = "IdentityJwtError";
  readonly reason: IdentityJwtReason;
  /** The claim at fault, where one is. */
  readonly claim: string | undefined;

  constructor(reason: IdentityJwtReason, message: string, options: IdentityJwtErrorOptions = {}) {
    super(options.code ?? CODE_OF[reason], message, {
      ...options,
      hint: options.hint ?? HINT_OF[reason],
    });
    this.reason = reason;
    this.claim = options.claim;
  }
}
