import { fileURLToPath } from "node:url";
import { type ProcessResult, startProcess, type TestProcess } from "@countersign/testing";
import { onTestFinished } from "vitest";

const LOADER = new URL("../processes/run-source.mjs", import.meta.url).href;

/** The command line that runs a program of `test/processes` on this package's source. */
export function commandOf(program: string, ...args: readonly string[]): readonly string[] {
  const path = fileURLToPath(new URL(`../processes/${program}`, import.meta.url));
  return [process.execPath, "--import", LOADER, path, ...args];
}

/** Starts a program of `test/processes`; it ends with the test. */
export async function startProgram(
  program: string,
  ...args: readonly string[]
): Promise<TestProcess> {
  const [command = "", ...rest] = commandOf(program, ...args);
  const running = await startProcess(command, rest);
  onTestFinished(() => running[Symbol.asyncDispose]());
  return running;
}

/** Starts programs that wait for `go` on their input, lets them all go at once, and gives how they ended. */
export async function runTogether(
  starts: readonly (() => Promise<TestProcess>)[],
): Promise<readonly ProcessResult[]> {
  const processes = await Promise.all(starts.map((start) => start()));
  await Promise.all(processes.map((running) => running.waitForLine(/^ready$/)));
  for (const running of processes) running.write("go\n");
  return await Promise.all(processes.map((running) => running.exited));
}
