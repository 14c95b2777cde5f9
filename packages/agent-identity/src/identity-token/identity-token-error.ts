import type { Code, CountersignErrorOptions } from "@countersign/agent-key";
import { AgentIdentityError } from "../agent-identity-error.js";

/** Why an identity token is refused, in the order of the checks. */
export const IDENTITY_TOKEN_REASONS = [
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

/** One reason of {@link IDENTITY_TOKEN_REASONS}. */
export type IdentityTokenReason = (typeof IDENTITY_TOKEN_REASONS)[number];

const CODE_OF: Readonly<Record<IdentityTokenReason, Code>> = {
  malformed: "malformed",
  algorithm: "bad_signature",
  kid: "bad_signature",
  signature: "bad_signature",
  issuer: "unauthenticated",
  audience: "unauthenticated",
  claim: "malformed",
  // The agent of an identity token ends with it (docs/protocol.md §13.2).
  expired: "agent_expired",
  key: "invalid_key",
};

const HINT_OF: Readonly<Record<IdentityTokenReason, string>> = {
  malformed: "give the identity token alone, as it was issued",
  algorithm: "ask its issuer for a token that is signed with RS256",
  kid: "check that the key set is that of the token's issuer",
  signature: "check that the key set is that of the token's issuer, and that the token is whole",
  issuer: "give a token of the issuer that this program is told to trust",
  audience: "ask its issuer for a token that is meant for this program",
  claim: "ask its issuer for a whole identity token",
  expired: "get a new identity token and log in with it",
  key: "ask its issuer for a token with an Ed25519 key in base64 of PKCS#8",
};

/** What an {@link IdentityTokenError} holds besides its reason. */
export interface IdentityTokenErrorOptions extends CountersignErrorOptions {
  /** The claim at fault. */
  readonly claim?: string | undefined;
  /** Default: that of the reason. */
  readonly code?: Code | undefined;
}

/**
 * An identity token that is refused. Neither its message nor its cause holds the token or the key in it.
 *
 * Codes by reason: `malformed` (malformed; claim), `bad_signature` (algorithm, kid, signature), `unauthenticated` (issuer, audience),
 * `agent_expired` (expired), `invalid_key` (key); a claim `nbf` that lies ahead is `not_yet_valid`.
 */
export class IdentityTokenError extends AgentIdentityError {
  static override readonly brandName: string = "IdentityTokenError";
  readonly reason: IdentityTokenReason;
  /** The claim at fault, where one is. */
  readonly claim: string | undefined;

  constructor(
    reason: IdentityTokenReason,
    message: string,
    options: IdentityTokenErrorOptions = {},
  ) {
    super(options.code ?? CODE_OF[reason], message, {
      ...options,
      hint: options.hint ?? HINT_OF[reason],
    });
    this.reason = reason;
    this.claim = options.claim;
  }
}
