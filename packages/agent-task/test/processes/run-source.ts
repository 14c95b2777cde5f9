import { fileURLToPath } from "node:url";
import {
  type ProcessResult,
  runProcess,
  startProcess,
  startTestAuthority,
  type TemporaryDirectory,
  type TestProcess,
  temporaryDirectory,
} from "@countersign/testing";
import { afterAll, beforeAll, onTestFinished } from "vitest";

let cache: TemporaryDirectory | undefined;

function argumentsOf(program: string, args: readonly string[]): readonly string[] {
  const [loader, path] = ["./register-source.mjs", `./${program}`].map((name) =>
    fileURLToPath(new URL(name, import.meta.url)),
  );
  return ["--import", loader ?? "", path ?? "", ...args];
}

function environment() {
  return { env: { NODE_COMPILE_CACHE: cache?.path } };
}

/** Starts a program of this folder on this package's sources. It ends with the test. */
export async function startProgram(program: string, args: readonly string[]): Promise<TestProcess> {
  const running = await startProcess(process.execPath, argumentsOf(program, args), environment());
  onTestFinished(() => running[Symbol.asyncDispose]());
  return running;
}

/** Runs a program of this folder to its end. */
export function runProgram(
  program: string,
  args: readonly string[],
  input = "",
): Promise<ProcessResult> {
  return runProcess(process.execPath, argumentsOf(program, args), { ...environment(), input });
}

/** Compiles the sources once for all programs that the tests of a file start. */
export function compileOnce(): void {
  beforeAll(async () => {
    cache = await temporaryDirectory();
    await using home = await temporaryDirectory();
    await using authority = await startTestAuthority();
    const token = authority.addHuman({ accountId: "acct-1", userId: "user-1" });
    await runProgram("ensure-tasks.ts", [authority.url, token, home.path, "thread-1"], "go\n");
  });
  afterAll(async () => {
    await cache?.remove();
    cache = undefined;
  });
}
