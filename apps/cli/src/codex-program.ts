import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { CliError } from "./cli-error.js";
import {
  type CodexGeneration,
  type CodexKind,
  kindOfGeneration,
  kindOfVersion,
} from "./codex-generation.js";
import { isSystemError, pathOption, reasonOf } from "./home.js";

const MAX_VERSION_MS = 10_000;

/** Which Codex a command is about, as its options say. */
export interface CodexProgramOptions {
  /** `--codex`. */
  readonly codex?: string | undefined;
  /** `--generation`. */
  readonly generation?: CodexGeneration | undefined;
}

/** The program that is started: the path of `--codex`, else `codex`, which is looked for in `PATH`. */
export function codexProgram({ codex }: CodexProgramOptions): string {
  return codex === undefined ? "codex" : pathOption(codex, "--codex");
}

/**
 * Tells what kind of Codex it is: by `--generation`, else by asking it for its version.
 *
 * @throws {CliError} `config_invalid` if there is no such program, or its version says nothing or is too old
 */
export async function findCodexKind(
  options: CodexProgramOptions,
  env: NodeJS.ProcessEnv,
): Promise<CodexKind> {
  if (options.generation !== undefined) return kindOfGeneration(options.generation);
  return kindOfVersion(await printVersion(codexProgram(options), env));
}

async function printVersion(command: string, env: NodeJS.ProcessEnv): Promise<string> {
  try {
    const options = { env, timeout: MAX_VERSION_MS, windowsHide: true };
    return (await promisify(execFile)(command, ["--version"], options)).stdout;
  } catch (error) {
    if (isSystemError(error)) throw notStarted(command, error);
    throw new CliError("config_invalid", `${command} --version failed`, {
      cause: error,
      hint: "run it by hand; or name another program with --codex, or say --generation A|B|C",
    });
  }
}

/** The error of a Codex that the operating system cannot start. */
export function notStarted(command: string, error: unknown): CliError {
  const isMissing = isSystemError(error, "ENOENT");
  const what = isMissing
    ? command === "codex"
      ? "there is no codex in PATH"
      : `${command} does not exist`
    : `${command} cannot be started: ${reasonOf(error)}`;
  return new CliError("config_invalid", what, {
    cause: error,
    hint: "install Codex, or name its program with --codex PATH",
  });
}
