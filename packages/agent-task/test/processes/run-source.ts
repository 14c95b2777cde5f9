import { type ProcessResult, runProcess, type TestProcess } from "@countersign/testing";
import { sourceCommand, startSource } from "@countersign/testing/vitest";

const locate = (program: string) => new URL(program, import.meta.url);

/** The command line of a program of this folder. */
export function programCommand(program: string, args: readonly string[]): readonly string[] {
  return sourceCommand(locate(program), ...args);
}

/** Starts a program of this folder on this package's sources. It ends with the test. */
export function startProgram(program: string, args: readonly string[]): Promise<TestProcess> {
  return startSource(locate(program), ...args);
}

/** Runs a program of this folder to its end. */
export function runProgram(
  program: string,
  args: readonly string[],
  input = "",
): Promise<ProcessResult> {
  const [command = "", ...rest] = programCommand(program, args);
  return runProcess(command, rest, { input });
}
