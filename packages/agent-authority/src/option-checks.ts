import { type OptionShape, optionChecks } from "@countersign/agent-key";
import { AgentAuthorityError } from "./agent-authority-error.js";

/** The checks of this package's options. They throw an `AgentAuthorityError` with `config_invalid`. */
export const { checkOption, checkOptions } = optionChecks(AgentAuthorityError);

/** The check of what one call of the registry asks for. It throws an `AgentAuthorityError` with `invalid_request`. */
export const { checkOption: checkRequested } = optionChecks(AgentAuthorityError, "invalid_request");

export const STORE: OptionShape = {
  type: "object",
  members: { rows: "object", transaction: "function", now: "function" },
  expected: 'an AuthorityStore, for instance await openStore("sqlite:authority.db")',
};

export const CLOCK: OptionShape = {
  type: "function",
  expected: "a function that returns epoch milliseconds, for instance Date.now",
  optional: true,
};

export const AUTHORITY_URL: OptionShape = {
  type: "text",
  expected: 'the base URL of an authority, for instance "https://authority.example"',
};

export const FLAG: OptionShape = { type: "boolean", expected: "true or false", optional: true };

export const METRICS: OptionShape = {
  type: "object",
  members: { observer: "object", render: "function" },
  expected: "an AuthorityMetrics, for instance createAuthorityMetrics()",
};

/** A list that may be left out. */
export function listOf(what: string): OptionShape {
  return { type: "list", expected: `a list of ${what}`, optional: true };
}

/** Where limits of live agents and tasks are set. What stands in them is checked beside them. */
export const LIVE_LIMIT_SOURCES: Readonly<Record<string, OptionShape>> = {
  humans: listOf("issuers, for instance createOidcIssuer({ … })"),
  accountLimits: {
    type: "object",
    expected: 'an object with limits by account, for instance { "acct-1": { maxLiveAgents: 500 } }',
    optional: true,
  },
};

/** What the options of `createAuthority` must be. Numbers and names are checked beside it. */
export const AUTHORITY_OPTIONS: Readonly<Record<string, OptionShape>> = {
  store: STORE,
  ...LIVE_LIMIT_SOURCES,
  generations: listOf("A, B and C"),
  capabilities: listOf("texts"),
  trustedProxies: listOf("addresses and networks"),
  limits: { type: "object", expected: "an object with limits", optional: true },
  now: CLOCK,
  logger: {
    type: "object",
    members: { info: "function", error: "function" },
    expected: "an AuthorityLogger, for instance a logger of pino",
    optional: true,
  },
  metrics: { ...METRICS, optional: true },
};
