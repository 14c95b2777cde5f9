import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const LOADER = new URL("./processes/typescript-loader.mjs", import.meta.url).href;

function argumentsFor(program: string, args: readonly string[]): string[] {
  const path = fileURLToPath(new URL(`./processes/${program}.ts`, import.meta.url));
  return ["--import", LOADER, path, ...args];
}

/** Runs a program of `test/processes` to its end and gives the JSON it printed. */
export async function runProgram(program: string, ...args: string[]): Promise<unknown> {
  const { stdout } = await promisify(execFile)(process.execPath, argumentsFor(program, args));
  return JSON.parse(stdout);
}

/** Starts a program of `test/processes` and resolves with the first line it printed. */
export async function startProgram(
  program: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<{ readonly line: string; readonly child: ChildProcess }> {
  const child = spawn(process.execPath, argumentsFor(program, args), {
    stdio: ["pipe", "pipe", "inherit"],
    env: { ...process.env, ...env },
  });
  let text = "";
  child.stdout.setEncoding("utf8");
  for await (const chunk of child.stdout) {
    text += chunk;
    if (text.includes("\n")) break;
  }
  if (!text.includes("\n")) throw new Error(`${program} ended before it printed a line`);
  return { line: text.split("\n", 1)[0] ?? "", child };
}

/** Kills a process and waits until it is gone. */
export async function kill(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, "exit");
  child.kill("SIGKILL");
  await exited;
}
