import { isPrincipalId, numberIn } from "@countersign/agent-key";
import { AgentAuthorityError } from "../agent-authority-error.js";
import { checkOption } from "../option-checks.js";
import { checkLimits, type LiveLimitOptions } from "../registry/live-limits.js";
import { MAX_TTL_SECONDS } from "../registry/times.js";
import { isIssuerUrl, isKeySetUrl } from "./issuer-url.js";
import { OIDC_ALGORITHMS } from "./oidc-algorithms.js";
import type {
  OidcAccountClaim,
  OidcAlgorithm,
  OidcClaimValue,
  OidcIssuerOptions,
} from "./oidc-issuer-options.js";
import { isSharedIssuer } from "./shared-issuers.js";

const NAME = /^[a-z0-9-]{1,32}$/;
const CLAIM = /^[\x21-\x7e]{1,256}$/;
const MAX_TEXT_CHARACTERS = 1024;
const MAX_ALLOWED = 10_000;
const MAX_KEPT = 16;
const DAY_SECONDS = 86_400;
const MONTH_SECONDS = 2_592_000;
const DEFAULT_ALGORITHMS: readonly OidcAlgorithm[] = ["RS256", "ES256", "EdDSA"];
// What people choose and change, and what another gets after them (OpenID Connect Core §5.7). Some issuers let anybody write any email.
const CHANGING_CLAIMS: ReadonlySet<string> = new Set([
  "email",
  "name",
  "nickname",
  "phone_number",
  "preferred_username",
  "unique_name",
  "upn",
]);
// What each token has of its own, and what other options decide.
const NO_REQUIREMENT: ReadonlySet<string> = new Set(["aud", "exp", "iat", "iss", "jti", "nbf"]);

/** What an issuer's tokens are held against: its options, checked, with their defaults. */
export interface OidcPolicy {
  readonly name: string;
  readonly issuer: string;
  readonly audience: string;
  readonly acceptAudienceLists: boolean;
  readonly algorithms: readonly OidcAlgorithm[];
  readonly jwksUri: string | undefined;
  readonly user: string;
  readonly account: string | OidcAccountClaim;
  readonly require: ReadonlyMap<string, readonly OidcClaimValue[]>;
  readonly keepClaims: readonly string[];
  readonly clockToleranceSeconds: number;
  readonly agentTtlSeconds: number;
  readonly liveLimits: LiveLimitOptions;
  readonly cacheMs: number;
  readonly staleMs: number;
  readonly deadlineMs: number;
}

/**
 * Checks the options of an issuer and fills in their defaults.
 *
 * @throws {AgentAuthorityError} `config_invalid` naming issuer and option
 */
export function checkOidcOptions(options: OidcIssuerOptions): OidcPolicy {
  checkOption("options", options, {
    type: "object",
    expected: "an object with name, issuer and audience",
  });
  const { name, issuer, audience, jwksUri, algorithms = DEFAULT_ALGORITHMS } = options;
  if (typeof name !== "string" || !NAME.test(name))
    throw invalid("?", "name", "be 1 to 32 of a-z, 0-9 and -");
  if (!isIssuerUrl(issuer)) {
    throw invalid(name, "issuer", "be the https URL that its tokens name as iss");
  }
  if (!isText(audience)) throw invalid(name, "audience", "be the aud that its tokens have");
  if (jwksUri !== undefined && !isKeySetUrl(jwksUri, issuer)) {
    throw invalid(name, "jwksUri", "be an https URL");
  }
  const known: readonly string[] = OIDC_ALGORITHMS;
  if (
    !Array.isArray(algorithms) ||
    algorithms.length === 0 ||
    !algorithms.every((algorithm) => known.includes(algorithm))
  ) {
    throw invalid(name, "algorithms", `name one or more of ${known.join(", ")}`);
  }
  const range = (option: RangeOption, min: number, max: number, standard: number) => {
    const value = options[option] ?? standard;
    checkOption(`oidc ${name}: ${option}`, value, numberIn(min, max));
    return value;
  };
  const cacheMs = 1000 * range("cacheSeconds", 0, DAY_SECONDS, 600);
  return {
    name,
    issuer,
    audience,
    acceptAudienceLists: options.acceptAudienceLists === true,
    algorithms: [...algorithms],
    jwksUri,
    user: checkIdClaim(name, "user", options.user ?? "sub"),
    account: checkAccount(name, options.account),
    require: checkRequirements(name, issuer, options.require ?? {}),
    keepClaims: checkKept(name, options.keepClaims ?? []),
    clockToleranceSeconds: range("clockToleranceSeconds", 0, 300, 60),
    agentTtlSeconds: range("agentTtlSeconds", 1, MAX_TTL_SECONDS, MONTH_SECONDS),
    liveLimits: checkedLimits(name, options.liveLimits),
    cacheMs,
    staleMs: cacheMs + 1000 * range("staleIfErrorSeconds", 0, DAY_SECONDS, 3600),
    deadlineMs: range("deadlineMs", 100, 60_000, 5000),
  };
}

function checkedLimits(name: string, limits: LiveLimitOptions = {}): LiveLimitOptions {
  checkLimits(`oidc ${name}`, limits);
  return { ...limits };
}

type RangeOption =
  | "clockToleranceSeconds"
  | "agentTtlSeconds"
  | "cacheSeconds"
  | "staleIfErrorSeconds"
  | "deadlineMs";

function checkIdClaim(name: string, option: string, claim: string): string {
  if (!CLAIM.test(claim)) throw invalid(name, option, "name a claim");
  if (CHANGING_CLAIMS.has(claim.toLowerCase())) {
    throw invalid(name, option, `be a claim that never changes hands, which ${claim} does`);
  }
  return claim;
}

function checkAccount(name: string, account: string | OidcAccountClaim): string | OidcAccountClaim {
  if (typeof account === "string") {
    if (isPrincipalId(account)) return account;
    throw invalid(name, "account", "be an account id, or a claim with its allowed values");
  }
  const claim = checkIdClaim(name, "account.claim", account.claim);
  const { allowed } = account;
  const areIds = allowed.every((value) => isPrincipalId(`${name}:${value}`) && value !== "");
  if (allowed.length === 0 || allowed.length > MAX_ALLOWED || !areIds) {
    throw invalid(name, "account.allowed", "list the values of that claim that count");
  }
  return { claim, allowed: [...allowed] };
}

function checkRequirements(
  name: string,
  issuer: string,
  require: NonNullable<OidcIssuerOptions["require"]>,
): ReadonlyMap<string, readonly OidcClaimValue[]> {
  const required = new Map<string, readonly OidcClaimValue[]>();
  for (const [claim, value] of Object.entries(require)) {
    const values: readonly OidcClaimValue[] = [value].flat();
    const areValues = values.every((each) => typeof each === "boolean" || isText(each));
    if (!CLAIM.test(claim) || NO_REQUIREMENT.has(claim) || values.length === 0 || !areValues) {
      throw invalid(name, `require.${claim}`, "be a claim with the text, or texts, that it may be");
    }
    required.set(claim, values);
  }
  const isMeant = [...required.keys()].some((claim) => !CHANGING_CLAIMS.has(claim.toLowerCase()));
  if (isSharedIssuer(issuer) && !isMeant) {
    throw invalid(
      name,
      "require",
      `say whose tokens count: everybody gets one of ${new URL(issuer).host}`,
    );
  }
  return required;
}

function checkKept(name: string, claims: readonly string[]): readonly string[] {
  const areClaims =
    Array.isArray(claims) &&
    claims.length <= MAX_KEPT &&
    claims.every((claim) => typeof claim === "string" && CLAIM.test(claim));
  if (areClaims) return [...claims];
  throw invalid(name, "keepClaims", `list the names of at most ${MAX_KEPT} claims`);
}

function isText(value: unknown): value is string {
  return typeof value === "string" && value !== "" && value.length <= MAX_TEXT_CHARACTERS;
}

function invalid(name: string, option: string, rule: string): AgentAuthorityError {
  return new AgentAuthorityError("config_invalid", `oidc ${name}: ${option} must ${rule}`, {
    hint: "correct the issuer's configuration; docs/oidc.md has examples",
  });
}
