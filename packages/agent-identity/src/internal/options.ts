import {
  AgentKeyError,
  LONGEST_TIMER_MS,
  numberIn,
  type OptionShape,
  optionChecks,
} from "@countersign/agent-key";

/** The checks of this package's options. They throw an `AgentKeyError` with `config_invalid`. */
export const { checkOption, checkOptions } = optionChecks(AgentKeyError);

/** The base URL of an authority. Its form is checked by `parseAuthority`. */
export const AUTHORITY_URL: OptionShape = {
  type: "text",
  expected: 'the base URL of an authority, for instance "https://authority.example"',
};

export const AUTH_SOURCE: OptionShape = {
  type: "object",
  members: { current: "function" },
  expected: "an AuthSource, for instance fixedAuth({ … }) or loginAuth(store, authority)",
};

export const CREDENTIAL_STORE: OptionShape = {
  type: "object",
  members: { load: "function", update: "function", withLock: "function" },
  expected: 'a CredentialStore, for instance fileStore("~/.my-agent")',
};

export const PROOF: OptionShape = {
  type: "choice",
  choices: ["bearer", "biscuit"],
  optional: true,
};

export const KEY_SET: OptionShape = {
  type: "object",
  members: { find: "function", peek: "function" },
  expected: "a KeySet, for instance remoteKeySet(url)",
};

const OPTIONAL_FETCH: OptionShape = {
  type: "function",
  expected: "a function that sends as fetch does",
  optional: true,
};

export const OPTIONAL_FLAG: OptionShape = {
  type: "boolean",
  expected: "true or false",
  optional: true,
};

export const OPTIONAL_CLOCK: OptionShape = {
  type: "function",
  expected: "a function that returns epoch milliseconds, for instance Date.now",
  optional: true,
};

/** Options of all that send requests. */
export const TRANSPORT_OPTIONS = {
  fetch: OPTIONAL_FETCH,
  insecureHttp: OPTIONAL_FLAG,
  deadlineMs: numberIn(1, LONGEST_TIMER_MS, { fraction: true }),
  attempts: numberIn(1, Number.MAX_SAFE_INTEGER),
  now: OPTIONAL_CLOCK,
} as const satisfies Readonly<Record<string, OptionShape>>;

/** Options of one call. What is left of a deadline may be nothing. */
export const PATIENCE_OPTIONS = {
  deadlineMs: numberIn(0, LONGEST_TIMER_MS, { fraction: true }),
  attempts: TRANSPORT_OPTIONS.attempts,
  outageMs: numberIn(0, LONGEST_TIMER_MS, { fraction: true }),
} as const satisfies Readonly<Record<string, OptionShape>>;

/** How long after its end a token is still taken. */
export const CLOCK_TOLERANCE = numberIn(0, 300, { fraction: true });
