import { isSystemError, pathOption, reasonOf } from "../home/home.js";
import { readChild } from "../process/run-child.js";
import { CliError } from "../text/cli-error.js";
import {
  type CodexGeneration,
  type CodexKind,
  kindOfGeneration,
  kindOfVersion,
} from "./codex-generation.js";

const MAX_VERSION_MS = 10_000;

/** Which Codex a command is about, as its options say. */
export interface CodexProgramOptions {
  /** `--codex`. */
  readonly codex?: string | undefined;
  /** `--generation`. */
  readonly generation?: CodexGeneration | undefined;
}

/** With what a Codex is asked for its version. */
export interface AskingCodex {
  /** Its environment. The secrets of this program are left out. */
  readonly env: NodeJS.ProcessEnv;
  readonly signal: AbortSignal;
}

/** The program that is started: the path of `--codex`, else `codex`, which is looked for in `PATH`. */
export function codexProgram({ codex }: CodexProgramOptions): string {
  return codex === undefined ? "codex" : pathOption(codex, "--codex");
}

/**
 * Finds the kind of a Codex: from `--generation`, otherwise from the version that the program prints.
 *
 * @throws {CliError} `config_invalid` if there is no such program, or its version cannot be read or is too old
 */
export async function findCodexKind(
  options: CodexProgramOptions,
  asking: AskingCodex,
): Promise<CodexKind> {
  if (options.generation !== undefined) return kindOfGeneration(options.generation);
  const command = codexProgram(options);
  return kindOfVersion(await printVersion(command, asking, (error) => notStarted(command, error)));
}

/**
 * Finds the form in which a Codex reads the agent of its home: from `--generation`, otherwise from the program's version. If the program
 * is not on this machine, the agent that is already in the home decides.
 *
 * @param found - generation of the agent in the home
 * @throws {CliError} `config_invalid` if nothing says which Codex it is, or it reads no agent but an identity JWT
 */
export async function findCodexForm(
  options: CodexProgramOptions,
  asking: AskingCodex,
  found: CodexGeneration | undefined,
): Promise<"A" | "C"> {
  const { flag } = await findHomeKind(options, asking, found);
  if (flag !== undefined) return flag;
  throw new CliError("config_invalid", "Codex 0.124 to 0.149 reads no agent but an identity JWT", {
    hint: `install Codex 0.150 or newer; or, if the home is for another Codex, ${SAY_WHICH}`,
  });
}

const SAY_WHICH = "say --generation A (0.122, 0.123) or --generation C (0.150 and newer)";

async function findHomeKind(
  options: CodexProgramOptions,
  asking: AskingCodex,
  found: CodexGeneration | undefined,
): Promise<CodexKind> {
  const { generation, codex } = options;
  if (generation !== undefined) return kindOfGeneration(generation);
  const command = codexProgram(options);
  const isGuessed = codex === undefined && found !== undefined;
  let isMissing = false;
  try {
    const printed = await printVersion(command, asking, (error) => {
      isMissing = isSystemError(error, "ENOENT");
      const hint = `name its program with --codex PATH, or ${SAY_WHICH}`;
      return notStarted(command, error, hint);
    });
    return kindOfVersion(printed);
  } catch (error) {
    if (isGuessed && isMissing) return kindOfGeneration(found);
    throw error;
  }
}

async function printVersion(
  command: string,
  { env, signal }: AskingCodex,
  refuse: (error: unknown) => CliError,
): Promise<string> {
  try {
    return await readChild({ command, args: ["--version"], env, signal }, MAX_VERSION_MS);
  } catch (error) {
    signal.throwIfAborted();
    if (isSystemError(error)) throw refuse(error);
    throw new CliError("config_invalid", `${command} --version failed`, {
      cause: error,
      hint: "run it by hand; or name another program with --codex, or say --generation A|B|C",
    });
  }
}

/** The error of a Codex that the operating system cannot start. */
export function notStarted(
  command: string,
  error: unknown,
  hint = "install Codex, or name its program with --codex PATH",
): CliError {
  const isMissing = isSystemError(error, "ENOENT");
  const what = isMissing
    ? command === "codex"
      ? "there is no codex in PATH"
      : `${command} does not exist`
    : `${command} cannot be started: ${reasonOf(error)}`;
  return new CliError("config_invalid", what, { cause: error, hint });
}
