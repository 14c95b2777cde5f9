import type { Code, CountersignError } from "@countersign/agent-key";
import { CliError } from "./cli-error.js";

const EXIT_CODES: Readonly<Record<Code, number>> = {
  // 2: wrong usage or configuration.
  usage: 2,
  config_invalid: 2,
  unknown_feature: 2,
  // 3: not logged in or no identity.
  not_logged_in: 3,
  no_identity: 3,
  // 4: refused by the authority or the resource server.
  missing: 4,
  malformed: 4,
  expired: 4,
  not_yet_valid: 4,
  unknown_agent: 4,
  bad_signature: 4,
  agent_revoked: 4,
  agent_expired: 4,
  unknown_task: 4,
  task_revoked: 4,
  task_expired: 4,
  forbidden: 4,
  binding_required: 4,
  binding_mismatch: 4,
  replayed: 4,
  unauthenticated: 4,
  biscuit_invalid: 4,
  invalid_request: 4,
  invalid_key: 4,
  refused: 4,
  // 5: failed for a passing reason.
  upstream_refused: 5,
  rate_limited: 5,
  timeout: 5,
  unreachable: 5,
  server_error: 5,
  store_locked: 5,
  // 1: failed.
  bad_response: 1,
  cancelled: 1,
  store_corrupt: 1,
  store_denied: 1,
  address_in_use: 1,
  internal: 1,
};

/**
 * Gives the exit code of an error: 1 failed, 2 wrong usage or configuration, 3 not logged in or no identity, 4 refused by the authority
 * or the resource server, 5 failed for a passing reason.
 */
export function exitCodeOf(error: CountersignError): number {
  if (CliError.is(error) && error.exitCode !== undefined) return error.exitCode;
  return error.retryable ? 5 : EXIT_CODES[error.code];
}

const HINTS: readonly string[] = [
  "",
  "see what the message names; countersign status shows what is set up here",
  "add --help to see how it is used",
  "countersign login",
  "whoever runs the authority or the server that refused can say more",
  "try again in a moment",
];

// `task ensure` alone would give what is stored: whether the task still lives, only who was refused knows.
const NEW_TASK =
  "the thread's next request registers a new task; without one: countersign task forget, then countersign task ensure";

// What a check of an assertion refuses says its code alone.
const HINTS_OF_CODES: Partial<Readonly<Record<Code, string>>> = {
  cancelled: "the same command can be run again",
  malformed: "give what countersign header prints, whole and unchanged",
  expired: "an assertion lives for minutes: make a new one when it is sent, and check both clocks",
  not_yet_valid: "check both clocks",
  bad_signature: "it was changed on its way, or signed by another key than the agent's",
  unknown_agent: "check that client and server use the same authority",
  unknown_task: `check that the task is this agent's; ${NEW_TASK}`,
  task_revoked: NEW_TASK,
  task_expired: NEW_TASK,
  agent_revoked: "the authority's operator ended this agent: ask them",
  agent_expired: "log in again: the agent is then renewed",
};

/** Gives what to do about an error: its own hint, else what its code, else what its exit code asks for. */
export function hintOf(error: CountersignError): string {
  const hint = error.hint ?? HINTS_OF_CODES[error.code];
  if (hint !== undefined) return hint;
  return HINTS[exitCodeOf(error)] ?? "";
}
