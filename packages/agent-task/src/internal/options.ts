import {
  AgentKeyError,
  LONGEST_TIMER_MS,
  numberIn,
  type OptionShape,
  optionChecks,
} from "@countersign/agent-key";

/** The checks of this package's options. They throw an `AgentKeyError` with `config_invalid`. */
export const { checkOptions } = optionChecks(AgentKeyError);

// Some of them get a little more time on top.
const LONGEST_MS = LONGEST_TIMER_MS - 1_000;

/** A function that is called with what happened. */
export const LISTENER: OptionShape = {
  type: "function",
  expected: "a function that is called with the error",
};

/** What the numbers of `ThreadOptions` and `CredentialOptions` must be. */
export const PATIENCE: Readonly<Record<string, OptionShape>> = {
  deadlineMs: numberIn(0, LONGEST_TIMER_MS, { fraction: true }),
  outageMs: numberIn(0, LONGEST_TIMER_MS, { fraction: true }),
};

/** What the number of `TaskLockOptions` must be. */
export const LOCK_PATIENCE: Readonly<Record<string, OptionShape>> = {
  waitMs: numberIn(0, Number.MAX_SAFE_INTEGER, { fraction: true }),
};

/** What the options of `AgentTaskManager` must be. */
export const TASK_MANAGER_OPTIONS: Readonly<Record<string, OptionShape>> = {
  identities: {
    type: "object",
    members: { authority: "string", ensure: "function", peek: "function", client: "object" },
    expected: "an AgentIdentityManager",
  },
  store: {
    type: "object",
    members: { load: "function", save: "function" },
    expected: 'a TaskStore, for instance fileTaskStore("~/.my-agent/threads")',
    optional: true,
  },
  onFailure: { type: "choice", choices: ["fail", "bearer"], optional: true },
  bearerOrigins: { type: "list", expected: "a list of origins", optional: true },
  deadlineMs: numberIn(1, LONGEST_MS, { fraction: true }),
  renewBeforeMs: numberIn(0, LONGEST_MS, { fraction: true }),
  now: {
    type: "function",
    expected: "a function that returns epoch milliseconds, for instance Date.now",
    optional: true,
  },
};
