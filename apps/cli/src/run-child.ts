import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { constants } from "node:os";
import { takeEndingSignals } from "./ending-signals.js";

// A terminal sends these to the child by itself: it is in the same process group.
const OF_TERMINAL = new Set<NodeJS.Signals>(["SIGINT", "SIGQUIT", "SIGHUP"]);
const PASSED_ON = ["SIGHUP", "SIGQUIT", "SIGUSR1", "SIGUSR2"] as const;

/** What a child process is started with. */
export interface ChildOptions {
  /** A path, or a name that is looked for in `PATH`. */
  readonly command: string;
  readonly args: readonly string[];
  readonly env: NodeJS.ProcessEnv;
}

/**
 * Runs a program without a shell to its end. It has stdin, stdout and stderr of this process, and gets the signals that this process gets.
 *
 * @returns its exit code; 128 + n if signal n ended it
 * @throws {Error} of the operating system if it cannot be started
 */
export async function runChild({ command, args, env }: ChildOptions): Promise<number> {
  const child = spawn(command, [...args], { env, stdio: "inherit" });
  const isOnTerminal = process.stdin.isTTY || process.stdout.isTTY || process.stderr.isTTY;
  const pass = (name: NodeJS.Signals): void => {
    if (!(isOnTerminal && OF_TERMINAL.has(name))) child.kill(name);
  };
  using _taken = takeEndingSignals(pass);
  for (const name of PASSED_ON) process.on(name, pass);
  try {
    return await exitCodeOf(child);
  } finally {
    for (const name of PASSED_ON) process.off(name, pass);
  }
}

async function exitCodeOf(child: ChildProcess): Promise<number> {
  const [code, signal]: [number | null, NodeJS.Signals | null] = (await once(
    child,
    "exit",
  )) as never;
  return code ?? 128 + (signal === null ? 0 : constants.signals[signal]);
}
