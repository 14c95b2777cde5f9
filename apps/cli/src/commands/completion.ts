import type { Command } from "commander";
import type { Run } from "../config/run.js";
import { usageError } from "../text/cli-error.js";
import { createCompletionScript, SHELLS } from "./completion-script.js";

/** `completion SHELL`. */
export async function completion(
  run: Run,
  program: Command,
  [wanted = ""]: readonly string[],
): Promise<void> {
  const shell = SHELLS.find((known) => known === wanted);
  if (shell === undefined) throw usageError(`no completion for "${wanted}"`, SHELLS.join(", "));
  const script = createCompletionScript(program, shell);
  run.output.result({ shell, script }, () => script);
}
