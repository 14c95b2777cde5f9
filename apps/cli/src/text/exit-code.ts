import type { CountersignError } from "@countersign/agent-key";
import { codeRow, hintOfCode } from "@countersign/agent-key/codes";
import { CliError } from "./cli-error.js";

/**
 * Gives the exit code of an error: 1 failed, 2 wrong usage or configuration, 3 not logged in or no identity, 4 refused by the authority
 * or the resource server, 5 failed for a passing reason.
 */
export function exitCodeOf(error: CountersignError): number {
  if (CliError.is(error) && error.exitCode !== undefined) return error.exitCode;
  return error.retryable ? 5 : codeRow(error.code).exitCode;
}

const HINTS: readonly string[] = [
  "",
  "see what the message names; countersign status shows what is set up here",
  "add --help to see how it is used",
  "countersign login",
  "the operator of the authority, or of the server that refused, can say more",
  "try again in a moment",
];

/** Gives what to do about an error: its own hint, else what its code, else what its exit code asks for. */
export function hintOf(error: CountersignError): string {
  return error.hint ?? hintOfCode(error.code) ?? HINTS[exitCodeOf(error)] ?? "";
}
