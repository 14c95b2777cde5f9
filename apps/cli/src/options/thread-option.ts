import { AgentKeyError, parseScopeId, parseThreadLabel } from "@countersign/agent-key";
import type { Environment } from "../home/environment.js";
import { CliError } from "../text/cli-error.js";

/** The scope of commands that name no thread. */
export const DEFAULT_SCOPE = "cli";

/**
 * Returns the thread that a command works on: from `--thread`, otherwise `COUNTERSIGN_THREAD`, otherwise the stored scope `cli`.
 *
 * @throws {CliError} `invalid_request` (exit 2) if it is not a valid thread id
 */
export function resolveThread(option: string | undefined, environment: Environment): string {
  const thread = option ?? environment.get("COUNTERSIGN_THREAD") ?? DEFAULT_SCOPE;
  return checked(
    () => parseScopeId(thread),
    "give the id of a thread: 1 to 256 characters without control characters",
  );
}

/**
 * Returns the label of `--thread-label`.
 *
 * @throws {CliError} `invalid_request` (exit 2) if it is not a valid thread label
 */
export function resolveThreadLabel(option: string | undefined): string | undefined {
  if (option === undefined) return undefined;
  return checked(() => parseThreadLabel(option), "give a short name");
}

function checked(parse: () => string, hint: string): string {
  try {
    return parse();
  } catch (error) {
    if (!AgentKeyError.is(error)) throw error;
    throw new CliError("invalid_request", error.message, {
      cause: error,
      hint: error.hint ?? hint,
      exitCode: 2,
    });
  }
}
