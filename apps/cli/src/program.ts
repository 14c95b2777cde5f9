import { Command } from "commander";
import { declareAgentCommands } from "./program/agent-commands.js";
import { declareAuthorityCommands } from "./program/authority-commands.js";
import { addCommonOptions, createDeclare } from "./program/declare.js";
import { declareLoginCommands } from "./program/login-commands.js";
import { declareProxyCommands } from "./program/proxy-commands.js";
import { declareServerCommands } from "./program/server-commands.js";
import { declareToolCommands } from "./program/tool-commands.js";
import { readVersion } from "./version.js";

const EXIT_CODES = `
Exit codes: 0 done, 1 failed, 2 wrong usage or configuration, 3 not logged in or no identity,
4 refused by the authority or the resource server, 5 failed for a passing reason (try again).
Secrets come from stdin, a file or the environment, never from an argument.`;

/**
 * Declares every command. The code of a command is imported when it is called.
 *
 * @param signal - aborted when the process is asked to end
 * @param onExitCode - called with the exit code of a command that ends without an error
 * @param writeOut - takes the texts that no command prints: the version, and the help that the user asked for
 */
export function createProgram(
  signal: AbortSignal,
  onExitCode: (code: number) => void,
  writeOut: (text: string) => void,
): Command {
  const program = new Command("countersign")
    .description("Cryptographic identity for agents, one task at a time.")
    .version(readVersion(), "--version", "print the version")
    .exitOverride()
    // Errors are printed in one place, in one form.
    .configureOutput({ outputError: () => undefined, writeOut })
    .showSuggestionAfterError()
    .addHelpText("after", EXIT_CODES);
  addCommonOptions(program);
  const declare = createDeclare(signal, onExitCode);
  declareLoginCommands(program, declare);
  declareAgentCommands(program, declare);
  declareServerCommands(program, declare);
  declareProxyCommands(program, declare);
  declareAuthorityCommands(program, declare);
  declareToolCommands(program, declare);
  return program;
}
