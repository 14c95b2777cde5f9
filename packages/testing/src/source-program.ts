import { fileURLToPath } from "node:url";
import { onTestFinished } from "vitest";
import { type ProcessResult, startProcess, type TestProcess } from "./process/test-process.js";

const LOADER = new URL("../run-source.js", import.meta.url).href;

/** The command line that runs a program in TypeScript on the source of its package. */
export function sourceCommand(program: URL, ...args: readonly string[]): readonly string[] {
  return [process.execPath, "--import", LOADER, fileURLToPath(program), ...args];
}

/** Starts such a program; it ends with the test. */
export async function startSource(program: URL, ...args: readonly string[]): Promise<TestProcess> {
  const [command = "", ...rest] = sourceCommand(program, ...args);
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
