import { AgentKeyError, type OptionShape, optionChecks } from "@countersign/agent-key";

/** The checks of this package's options. They throw an `AgentKeyError` with `config_invalid`. */
export const { checkOptions } = optionChecks(AgentKeyError);

// A delay of more than about this makes Node's timers fire at once.
const LONGEST_MS = 2 ** 31 - 1000;

const MILLISECONDS = {
  type: "number",
  most: LONGEST_MS,
  unit: "milliseconds",
  fraction: true,
  optional: true,
} as const;

/** A function that is called with what happened. */
export const LISTENER: OptionShape = {
  type: "function",
  expected: "a function that is called with the error",
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
  deadlineMs: { ...MILLISECONDS, least: 1 },
  renewBeforeMs: { ...MILLISECONDS, least: 0 },
  now: {
    type: "function",
    expected: "a function that returns epoch milliseconds, for instance Date.now",
    optional: true,
  },
  timers: {
    type: "object",
    members: { now: "function", after: "function" },
    expected: "a TaskTimers",
    optional: true,
  },
};
