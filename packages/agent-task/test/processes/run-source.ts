import { fileURLToPath } from "node:url";
import {
  type ProcessResult,
  runProcess,
  startProcess,
  type TestProcess,
} from "@countersign/testing";
import { onTestFinished } from "vitest";

function argumentsOf(program: string, args: readonly string[]): readonly string[] {
  const [loader, path] = ["./register-source.mjs", `./${program}`].map((name) =>
    fileURLToPath(new URL(name, import.meta.url)),
  );
  return ["--import", loader ?? "", path ?? "", ...args];
}

/** The command line of a program of this folder. */
export function programCommand(program: string, args: readonly string[]): readonly string[] {
  return [process.execPath, ...argumentsOf(program, args)];
}

/** Starts a program of this folder on this package's sources. It ends with the test. */
export async function startProgram(program: string, args: readonly string[]): Promise<TestProcess> {
  const running = await startProcess(process.execPath, argumentsOf(program, args));
  onTestFinished(() => running[Symbol.asyncDispose]());
  return running;
}

/** Runs a program of this folder to its end. */
export function runProgram(
  program: string,
  args: readonly string[],
  input = "",
): Promise<ProcessResult> {
  return runProcess(process.execPath, argumentsOf(program, args), { input });
}
