import type { WarningCode } from "@countersign/agent-assertion/fetch";

// So that a client of the whole web costs no memory.
const MAX_MESSAGES = 100;

/** Makes a function that gives each warning to `process.emitWarning` once, whatever number of transports it is given to. */
export function warnOnce(): (message: string, code: WarningCode) => void {
  const given = new Set<string>();
  return (message, code) => {
    if (given.has(message) || given.size === MAX_MESSAGES) return;
    given.add(message);
    process.emitWarning(message, { code });
  };
}
