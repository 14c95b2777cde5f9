import { CountersignError } from "@countersign/agent-key";
import { callHook } from "../verify/assertion-hooks.js";
import { isCallersFault } from "./problem-of.js";

// An outage stops every request, and is one warning.
const MAX_MESSAGES = 100;
const given = new Set<string>();

/** Passes an error that is not the caller's fault to the operator's hook; without one it is a process warning, once for each message. Never throws. */
export function reportError<R>(
  onError: ((error: unknown, request: R) => void) | undefined,
  error: unknown,
  request: R,
): void {
  if (isCallersFault(error)) return;
  if (onError === undefined) warnOnce(error);
  else callHook(onError, error, request);
}

function warnOnce(error: unknown): void {
  const message = `a request could not be checked: ${textOf(error)}`;
  if (given.has(message) || given.size === MAX_MESSAGES) return;
  given.add(message);
  process.emitWarning(message, { detail: "With onError you get each of these errors." });
}

function textOf(error: unknown): string {
  if (!CountersignError.is(error)) return String(error);
  const { code, message, hint } = error;
  return `${code}: ${message}${hint === undefined ? "" : `; ${hint}`}`;
}
