import { CountersignError } from "@countersign/agent-key";
import type { CodexAgent } from "@countersign/codex-home";
import { loadCodexDestination } from "../../codex/codex-config-file.js";
import { exportCommand, importCommand } from "../../codex/codex-copies.js";
import { type CodexKind, codexVariables } from "../../codex/codex-generation.js";
import { loadCodexHome } from "../../codex/codex-identity.js";
import {
  type CodexProgramOptions,
  codexProgram,
  findCodexKind,
  notStarted,
} from "../../codex/codex-program.js";
import type { Run } from "../../config/run.js";
import { isSystemError, pathOption } from "../../home/home.js";
import { runChild } from "../../process/run-child.js";
import { CliError } from "../../text/cli-error.js";
import { describeRepair } from "./codex-repair.js";

// An authority that does not answer must not keep Codex from starting.
const MAX_REPAIR_MS = 2_000;

/** Options of `codex run`. */
export interface RunCodexOptions extends CodexProgramOptions {
  readonly codexHome: string;
}

/**
 * `codex run`: starts Codex in a home with the variables that its version needs, for that process alone.
 *
 * @returns Codex's exit code; 128 + n if signal n ended it
 */
export async function runCodex(
  run: Run,
  options: RunCodexOptions,
  args: readonly string[],
): Promise<number> {
  const codexHome = pathOption(options.codexHome, "--codex-home");
  const destination = await loadCodexDestination(run, codexHome);
  const command = codexProgram(options);
  const variables = { ...run.environment.variables, CODEX_HOME: codexHome };
  const { signal } = run;
  const kind = await findCodexKind(options, { env: variables, signal });
  await assertReadable(run, { codexHome, kind, authority: destination.authority });
  await repairTask(run, codexHome, destination.authority);
  const env = { ...variables, ...codexVariables(kind, destination) };
  try {
    return await runChild({ command, args, env, signal });
  } catch (error) {
    throw isSystemError(error) ? notStarted(command, error) : error;
  }
}

// One task is for all threads of the home, and Codex does not replace it: with one that has ended, each run fails after a while.
async function repairTask(run: Run, codexHome: string, authority: string): Promise<void> {
  try {
    const { repairCodexTask } = await import("../../codex/codex-task.js");
    const repair = await repairCodexTask(run, { codexHome, authority, deadlineMs: MAX_REPAIR_MS });
    if (repair.removed) run.output.warn(describeRepair(codexHome, repair));
  } catch (error) {
    if (run.signal.aborted || !CountersignError.is(error)) throw error;
    run.output.warn(`the task in ${codexHome} was not checked: ${error.message}`);
  }
}

interface Started {
  readonly codexHome: string;
  readonly authority: string;
  readonly kind: CodexKind;
}

// What a Codex cannot read costs it the whole login: it stops, prints the secret, or sends requests without any credential.
async function assertReadable(run: Run, started: Started): Promise<void> {
  const { codexHome, kind, authority } = started;
  const { loadCodexAgent } = await import("@countersign/codex-home");
  const agent = await loadCodexAgent(codexHome);
  if (agent !== undefined) {
    if (!kind.reads.includes(agent.generation)) throw unreadableTo(agent, started);
    return;
  }
  if (kind.flag !== undefined || run.environment.get("CODEX_ACCESS_TOKEN") !== undefined) return;
  const { login } = await loadCodexHome(codexHome, authority);
  if (login === null) return;
  throw new CliError(
    "config_invalid",
    `this Codex (0.124 to 0.149) cannot register an agent for the login in ${codexHome}`,
    { hint: "install Codex 0.150 or newer; or give it an identity JWT in CODEX_ACCESS_TOKEN" },
  );
}

const WRITERS: Readonly<Record<CodexAgent["generation"], string>> = {
  A: "an agent of Codex 0.122 or 0.123",
  B: "an identity JWT, for Codex 0.124 or newer",
  C: "an agent of Codex 0.150 or newer",
};

function unreadableTo(
  { generation }: CodexAgent,
  { codexHome, kind, authority }: Started,
): CliError {
  const isConvertible = generation !== "B" && kind.flag !== undefined;
  const other = isConvertible
    ? `convert the agent for this one: ${importCommand(codexHome, authority)}, then ${exportCommand(codexHome, authority)} --generation ${kind.flag}`
    : "give this Codex a home of its own: countersign codex export";
  return new CliError(
    "config_invalid",
    `${codexHome} holds ${WRITERS[generation]}, which this Codex cannot read`,
    { hint: `start the Codex that it is for with --codex PATH; or ${other}` },
  );
}
