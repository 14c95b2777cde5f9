import type { OidcIssuerOptions } from "@countersign/agent-authority/oidc";
import { duration, listOf, tableOf, text, yesOrNo } from "../config/setting-kinds.js";
import { isTable, notAllowed, type SettingKind } from "../config/settings.js";
import { LIVE_LIMIT_KINDS, liveLimitsOf } from "./authority-account-config.js";

const TEN_YEARS_SECONDS = 315_360_000;
const DAY_SECONDS = 86_400;
const upToADay = duration({ min: 0, max: DAY_SECONDS });

type ClaimValue = string | boolean;

const claimValue: SettingKind<ClaimValue> = (written) =>
  typeof written.value === "boolean" ? written.value : text(written);

const accountClaim = tableOf({ claim: text, allowed: listOf(text) });

/** An account id, or `{ claim = "…", allowed = ["…"] }`. */
const account: SettingKind<OidcIssuerOptions["account"]> = (written) => {
  if (!isTable(written.value)) return text(written);
  const { claim, allowed } = accountClaim(written);
  if (claim !== undefined && allowed !== undefined) return { claim, allowed };
  throw notAllowed(written, "an account id, or a claim with its allowed values");
};

/** `{ claim = "value", other = ["one", "of these"] }`. */
const requirements: SettingKind<Readonly<Record<string, readonly ClaimValue[]>>> = (written) => {
  const { value, from } = written;
  if (!isTable(value)) throw notAllowed(written, "a table of claims and their values");
  const ofClaim = ([claim, values]: [string, unknown]) => {
    const list = { value: [values].flat(), from: `${from} ${claim}`, isText: false };
    return [claim, listOf(claimValue)(list)] as const;
  };
  return Object.fromEntries(Object.entries(value).map(ofClaim));
};

const issuer = tableOf({
  name: text,
  issuer: text,
  audience: text,
  account,
  user: text,
  require: requirements,
  accept_audience_lists: yesOrNo,
  keep_claims: listOf(text),
  // Which ones there are, the authority knows.
  algorithms: listOf(text),
  jwks_uri: text,
  clock_tolerance: duration({ min: 0, max: 300 }),
  agent_ttl: duration({ min: 1, max: TEN_YEARS_SECONDS }),
  ...LIVE_LIMIT_KINDS,
  cache: upToADay,
  stale_if_error: upToADay,
  timeout: duration({ min: 1, max: 60 }),
});

const NEEDED = ["name", "issuer", "audience", "account"] as const;

/** One `[[oidc]]` of the file: the options of an issuer whose tokens prove a human. */
export const oidcIssuer: SettingKind<OidcIssuerOptions> = (written) => {
  const set = issuer(written);
  const { name, issuer: url, audience, account: ofAccount, timeout } = set;
  if (
    name === undefined ||
    url === undefined ||
    audience === undefined ||
    ofAccount === undefined
  ) {
    const missing = NEEDED.filter((key) => set[key] === undefined).join(", ");
    throw notAllowed(
      written,
      `a table with name, issuer, audience and account, and has no ${missing}`,
    );
  }
  return {
    name,
    issuer: url,
    audience,
    account: ofAccount,
    user: set.user,
    require: set.require,
    acceptAudienceLists: set.accept_audience_lists,
    keepClaims: set.keep_claims,
    algorithms: set.algorithms as OidcIssuerOptions["algorithms"],
    jwksUri: set.jwks_uri,
    clockToleranceSeconds: set.clock_tolerance,
    agentTtlSeconds: set.agent_ttl,
    liveLimits: liveLimitsOf(set),
    cacheSeconds: set.cache,
    staleIfErrorSeconds: set.stale_if_error,
    deadlineMs: timeout === undefined ? undefined : timeout * 1000,
  };
};
