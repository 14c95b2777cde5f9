import { type OptionShape, optionChecks } from "@countersign/agent-key";
import { AgentAssertionError } from "../agent-assertion-error.js";

/** The checks of this package's options. They throw an `AgentAssertionError` with `config_invalid`. */
export const { checkOption, checkOptions } = optionChecks(AgentAssertionError);

export const AUTHORITY_URL: OptionShape = {
  type: "text",
  expected: 'the base URL of an authority, for instance "https://authority.example"',
};

export const DIRECTORY: OptionShape = {
  type: "object",
  members: { authority: "string", agent: "function", task: "function" },
  expected: 'an AgentDirectory, for instance remoteDirectory("https://authority.example")',
};

export const VERIFIER: OptionShape = {
  type: "object",
  members: { verify: "function" },
  expected: "an AssertionVerifier, for instance createVerifier({ directory })",
};

export const REPLAY_STORE: OptionShape = {
  type: "object",
  members: { spend: "function" },
  expected: "a ReplayStore, for instance memoryReplayStore()",
};

export const CLOCK: OptionShape = {
  type: "function",
  expected: "a function that returns epoch milliseconds, for instance Date.now",
  optional: true,
};

export const FETCH: OptionShape = {
  type: "function",
  expected: "a function that sends as fetch does",
  optional: true,
};

export const FLAG: OptionShape = { type: "boolean", expected: "true or false", optional: true };

export const LISTENER: OptionShape = { type: "function", expected: "a function", optional: true };

export const HOOKS: Readonly<Record<string, OptionShape>> = {
  onVerified: LISTENER,
  onRefused: LISTENER,
};

const ON_MISSING: OptionShape = { type: "choice", choices: ["refuse", "pass"], optional: true };

const POLICY: Readonly<Record<string, OptionShape>> = {
  accounts: { type: "list", expected: "a list of account ids", optional: true },
  capability: { type: "text", expected: "the name of a capability", optional: true },
};

/**
 * Checks a policy, if there is one. A text in place of the list of accounts would allow every account that is a part of it, and a misspelt
 * member would allow every account.
 */
export function checkPolicy(policy: unknown): void {
  const expected = "an AssertionPolicy, for instance { accounts: [accountId] }";
  checkOption("policy", policy, { type: "object", expected, optional: true });
  if (policy === undefined) return;
  checkOptions(policy, POLICY);
  const unknown = Object.keys(policy as object).find((name) => !(name in POLICY));
  if (unknown === undefined) return;
  throw new AgentAssertionError(
    "config_invalid",
    `policy must have no member but accounts and capability, got ${JSON.stringify(unknown.slice(0, 64))}`,
    { hint: "correct its name, or leave it out: a policy without accounts allows every account" },
  );
}

/** Checks the options of a middleware. */
export function checkMiddlewareOptions(options: {
  readonly policy?: unknown;
  readonly verifier: unknown;
}): void {
  checkOptions(options, {
    verifier: VERIFIER,
    onMissing: ON_MISSING,
    onError: LISTENER,
    ...HOOKS,
    rawBody: LISTENER,
    clientAddress: LISTENER,
    now: CLOCK,
  });
  checkPolicy(options.policy);
}
