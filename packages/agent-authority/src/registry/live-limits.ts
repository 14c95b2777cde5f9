import { isPrincipalId, numberIn } from "@countersign/agent-key";
import { AgentAuthorityError } from "../agent-authority-error.js";
import { checkOption, checkOptions } from "../option-checks.js";
import type { PrincipalIds } from "./principals.js";

/** How many agents and tasks may live at the same time. */
export interface LiveLimitOptions {
  /** Live agents of one user in one account, without ephemeral ones. Range 1 to 1,000,000. Default 100. */
  readonly maxLiveAgents?: number | undefined;
  /** Live ephemeral agents of one user in one account. Range 1 to 1,000,000. Default 1,000. */
  readonly maxEphemeralAgents?: number | undefined;
  /** Live tasks of one agent. Range 1 to 10,000,000. Default 10,000. */
  readonly maxLiveTasks?: number | undefined;
}

/** {@link LiveLimitOptions} with their defaults. */
export type LiveLimits = { readonly [Name in keyof LiveLimitOptions]-?: number };

/** Gives the limits of a user and its agents. */
export type LiveLimitsOf = (principal: PrincipalIds) => LiveLimits;

/** Where limits of their own are set besides those of the whole authority. */
export interface LiveLimitSources {
  /** By account id. */
  readonly accountLimits?: Readonly<Record<string, LiveLimitOptions>> | undefined;
  /** The issuers of humans. Their names begin the ids of their users. */
  readonly humans?: readonly IssuerLimits[] | undefined;
}

interface IssuerLimits {
  readonly name: string;
  readonly liveLimits?: LiveLimitOptions | undefined;
}

const DEFAULTS: LiveLimits = {
  maxLiveAgents: 100,
  maxEphemeralAgents: 1_000,
  maxLiveTasks: 10_000,
};
const AGENTS = numberIn(1, 1_000_000);
/** What the numbers of {@link LiveLimitOptions} must be. */
export const LIVE_LIMIT_NUMBERS = {
  maxLiveAgents: AGENTS,
  maxEphemeralAgents: AGENTS,
  maxLiveTasks: numberIn(1, 10_000_000),
};

/**
 * Makes the function that finds the limits of a user: for each limit the account's, otherwise its issuer's, otherwise the authority's,
 * otherwise the default.
 *
 * @throws {AgentAuthorityError} `config_invalid` for a limit out of its range, or for limits of an account whose id is not valid
 */
export function createLiveLimits(options: LiveLimitOptions & LiveLimitSources): LiveLimitsOf {
  checkOptions(options, LIVE_LIMIT_NUMBERS);
  const accounts = new Map(Object.entries(options.accountLimits ?? {}));
  for (const [accountId, limits] of accounts) {
    if (!isPrincipalId(accountId)) throw notAnAccount();
    checkLimits(`accountLimits ${accountId}`, limits);
  }
  const issuers = new Map(options.humans?.map(({ name, liveLimits }) => [name, liveLimits]));
  for (const [name, limits = {}] of issuers) checkLimits(`oidc ${name}`, limits);
  return ({ accountId, userId }) => {
    // A user of an issuer is `<name>:<value>`. A name has no colon.
    const issuer = issuers.get(userId.slice(0, Math.max(0, userId.indexOf(":"))));
    return firstOfEach(accounts.get(accountId), issuer, options);
  };
}

function firstOfEach(...sources: readonly (LiveLimitOptions | undefined)[]): LiveLimits {
  const limitOf = (name: keyof LiveLimits) =>
    sources.find((source) => source?.[name] !== undefined)?.[name] ?? DEFAULTS[name];
  return {
    maxLiveAgents: limitOf("maxLiveAgents"),
    maxEphemeralAgents: limitOf("maxEphemeralAgents"),
    maxLiveTasks: limitOf("maxLiveTasks"),
  };
}

/** Checks the limits of one account or issuer. Throws `config_invalid`. */
export function checkLimits(of: string, limits: LiveLimitOptions): void {
  for (const [name, shape] of Object.entries(LIVE_LIMIT_NUMBERS)) {
    checkOption(`${of}: ${name}`, limits[name as keyof LiveLimits], shape);
  }
}

function notAnAccount(): AgentAuthorityError {
  return new AgentAuthorityError(
    "config_invalid",
    "accountLimits must have ids of accounts as its keys",
    {
      hint: 'ids are 1 to 256 printable ASCII characters without space, ", comma and backslash',
    },
  );
}
