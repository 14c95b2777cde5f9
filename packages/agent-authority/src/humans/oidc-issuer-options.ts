import type { LiveLimitOptions } from "../registry/live-limits.js";
import type { OIDC_ALGORITHMS } from "./oidc-algorithms.js";

/** A signature algorithm of tokens: asymmetric ones alone. */
export type OidcAlgorithm = (typeof OIDC_ALGORITHMS)[number];

/** A value that a claim may be required to have. */
export type OidcClaimValue = string | boolean;

/** An account that a token names. */
export interface OidcAccountClaim {
  /** The claim that names it. Not one of the names that people change. */
  readonly claim: string;
  /** The values that count; every other is refused. At least one. */
  readonly allowed: readonly string[];
}

/** Options of {@link createOidcIssuer}. */
export interface OidcIssuerOptions {
  /** Begins the ids that come from this issuer: `<name>:<value>`. 1 to 32 of `a-z`, `0-9` and `-`. Changing it makes everybody somebody else. */
  readonly name: string;
  /** The `iss` of its tokens, character by character. https, or http on loopback. */
  readonly issuer: string;
  /** The `aud` that a token must have, exactly: the issuer made the token for this authority only. */
  readonly audience: string;
  /** Accept a token whose `aud` has other audiences too. Default false. If true, each of them can use the token here. */
  readonly acceptAudienceLists?: boolean | undefined;
  /** Default `RS256`, `ES256`, `EdDSA`. */
  readonly algorithms?: readonly OidcAlgorithm[] | undefined;
  /** Where its keys are. Default: what `{issuer}/.well-known/openid-configuration` says. https, or http on loopback where the issuer is there too. */
  readonly jwksUri?: string | undefined;
  /** The claim that is the user. It must never change hands: `email`, `preferred_username`, `name`, `upn` and their like are refused. Default `sub`. */
  readonly user?: string | undefined;
  /** The account of everybody, as it is; or the claim that names it, then as `<name>:<value>`. */
  readonly account: string | OidcAccountClaim;
  /**
   * Claims that a token must have, each with one of its values; a claim that is a list must hold one of them. A dotted name leads into
   * claims that are objects (`realm_access.roles`) unless the token has a claim of that whole name. A must for issuers that
   * strangers share, such as GitHub Actions. Default none.
   */
  readonly require?:
    | Readonly<Record<string, OidcClaimValue | readonly OidcClaimValue[]>>
    | undefined;
  /**
   * Claims that are kept with each agent that registers by a token which has them, shown to operators, and found by their values, such as `run_id`. Dotted names as
   * above. At most 16. No decision rests on them. Texts, numbers and truth values are kept, each as a text of 1 to 512 characters without
   * control characters; other values are left out. Default none.
   */
  readonly keepClaims?: readonly string[] | undefined;
  /** How far the clocks may differ. Seconds, from 0 to 300. Default 60. */
  readonly clockToleranceSeconds?: number | undefined;
  /** Seconds that agents of these humans live unless the operator says otherwise. Range 1 to 315,360,000. Default 2,592,000 (30 days). */
  readonly agentTtlSeconds?: number | undefined;
  /** Limits of these humans and their agents, where they are not those of the authority. Those of an account come first. Default none. */
  readonly liveLimits?: LiveLimitOptions | undefined;
  /** How long keys are used without asking for them again, which is how long a key counts after it was withdrawn. Seconds, from 0 to 86,400. Default 600. */
  readonly cacheSeconds?: number | undefined;
  /** How long after that they are still used while the issuer gives none. Seconds, from 0 to 86,400. Default 3,600. */
  readonly staleIfErrorSeconds?: number | undefined;
  /** Time for asking for the keys, discovery included. Milliseconds, from 100 to 60,000. Default 5,000. */
  readonly deadlineMs?: number | undefined;
}
