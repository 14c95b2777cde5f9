import { Refusal } from "../registry/refusal.js";
import { MAX_TOKEN_CHARACTERS } from "./peek-issuer.js";

/** Why a token of an issuer was refused. For the operator's log only: the client does not learn it. */
export type TokenRefusalReason =
  | "issuer"
  | "length"
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

/** What decided that a token is refused. */
export interface TokenFinding {
  /** The name of the claim: out of the configuration or a specification, never out of the token. */
  readonly claim?: string;
  /** The value of the token that decided; absent: it has none. */
  readonly seen?: unknown;
  readonly expected?: string;
}

const MAX_SEEN_CHARACTERS = 200;

/** The cause of the refusal of an issuer's token. Of the token it holds only the value that decided. */
class TokenRefusal extends Error {
  readonly issuer: string;
  readonly reason: TokenRefusalReason;
  /** The name of the claim that decided. */
  readonly claim: string | undefined;
  /** See {@link showSeen}; `undefined` if the token has no such value, or the value may not be shown. */
  readonly seen: string | undefined;
  readonly expected: string | undefined;

  constructor(issuer: string, reason: TokenRefusalReason, { claim, seen, expected }: TokenFinding) {
    super(`oidc ${issuer}: ${reason}${claim === undefined ? "" : ` ${claim}`}`);
    this.name = "TokenRefusal";
    this.issuer = issuer;
    this.reason = reason;
    this.claim = claim;
    this.seen = showSeen(seen);
    this.expected = expected;
  }
}

/**
 * Shows a value of a token as JSON, cut: a text, a number or a truth value, or a list of them. What lies deeper is left out, since a token can nest
 * deeper than `JSON.stringify` can follow.
 *
 * @returns `undefined` for `undefined`
 */
export function showSeen(value: unknown): string | undefined {
  const shown = Array.isArray(value) ? value.map(withoutDepth) : withoutDepth(value);
  return JSON.stringify(shown)?.slice(0, MAX_SEEN_CHARACTERS);
}

function withoutDepth(value: unknown): unknown {
  if (typeof value !== "object" || value === null) return value;
  return Array.isArray(value) ? "[…]" : "{…}";
}

/**
 * Makes the refusal of a token. The client learns only that the token is refused. The operator finds the reason in the cause.
 */
export function refuseToken(
  issuer: string,
  reason: TokenRefusalReason,
  finding: TokenFinding = {},
): Refusal {
  return new Refusal("unauthenticated", "this takes a live token of a human", {
    hint: "log in again; if the token is refused again, the operator of the authority finds the reason in its log",
    cause: new TokenRefusal(issuer, reason, finding),
  });
}

/** Makes the refusal of a token that is too long to be looked at. */
export function refuseLength(issuer: string, token: string): Refusal {
  const expected = `at most ${MAX_TOKEN_CHARACTERS} characters`;
  return refuseToken(issuer, "length", { seen: token.length, expected });
}

/** For the log: why a token was refused, what was seen and what was expected. `undefined` when the error is another. */
export function tokenRefusalFields(
  error: unknown,
): Readonly<Record<"reason" | "seen" | "expected", string | undefined>> | undefined {
  const cause = error instanceof Refusal ? error.cause : undefined;
  if (!(cause instanceof TokenRefusal)) return undefined;
  const { message, expected, seen } = cause;
  return { reason: message, seen: expected === undefined ? seen : (seen ?? "nothing"), expected };
}

/** Says why a token was refused: `oidc <issuer>: <reason>`. `undefined` when the error is another. */
export function describeTokenRefusal(error: unknown): string | undefined {
  return tokenRefusalFields(error)?.reason;
}
