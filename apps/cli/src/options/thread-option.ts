import { AgentKeyError, parseScopeId } from "@countersign/agent-key";
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
  try {
    return parseScopeId(thread);
  } catch (error) {
    if (!AgentKeyError.is(error)) throw error;
    throw new CliError("invalid_request", error.message, {
      cause: error,
      hint: error.hint ?? "give the id of a thread: 1 to 256 characters without control characters",
      exitCode: 2,
    });
  }
}
