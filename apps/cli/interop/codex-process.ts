import { mkdir } from "node:fs/promises";
import { type ProcessResult, runProcess } from "@countersign/testing";

/** A Codex binary with a home of its own. */
export interface CodexOptions {
  readonly binary: string;
  /** Its CODEX_HOME and HOME. */
  readonly home: string;
  /** The folder that it works in; made if it is not there. */
  readonly work: string;
  readonly env?: Readonly<Record<string, string>>;
}

// Far more than a run takes; one that waits for ever is a failed check, not a check that never ends.
const MAX_RUN_MS = 120_000;

/** Runs `codex exec`. Nothing of this process's environment reaches it but the PATH. */
export async function codexExec(
  { binary, home, work, env }: CodexOptions,
  args: readonly string[],
): Promise<ProcessResult> {
  await mkdir(work, { recursive: true });
  const noVariables = Object.fromEntries(Object.keys(process.env).map((name) => [name, undefined]));
  return await runProcess(binary, ["exec", "--skip-git-repo-check", ...args], {
    cwd: work,
    env: { ...noVariables, PATH: process.env.PATH, HOME: home, CODEX_HOME: home, ...env },
    signal: AbortSignal.timeout(MAX_RUN_MS),
  });
}
