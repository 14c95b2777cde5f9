import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { constants } from "node:os";
import { promisify } from "node:util";
import { takeEndingSignals } from "./ending-signals.js";
import { withoutSecrets } from "./secret-variables.js";

// Ctrl-C and Ctrl-\: a terminal sends these to the child by itself, because it is in the same process group. A second Ctrl-C ends many programs at once.
const OF_TERMINAL = new Set<NodeJS.Signals>(["SIGINT", "SIGQUIT"]);
const PASSED_ON = ["SIGHUP", "SIGQUIT", "SIGUSR1", "SIGUSR2"] as const;

/** What a child process is started with. */
export interface ChildOptions {
  /** A path, or a name that is looked for in `PATH`. */
  readonly command: string;
  readonly args: readonly string[];
  /** Its environment. The secrets of this program are left out. */
  readonly env: NodeJS.ProcessEnv;
  readonly signal: AbortSignal;
}

/**
 * Runs a program without a shell to its end. It has stdin, stdout and stderr of this process, and gets the signals that this process gets. On a
 * terminal it gets SIGINT and SIGQUIT from the terminal alone.
 *
 * @param options - its `signal` is asked before the program starts; while it runs, it alone decides when it ends
 * @returns its exit code; 128 + n if signal n ended it
 * @throws {Error} of the operating system if it cannot be started; the reason of `signal` if that is aborted
 */
export async function runChild(options: ChildOptions): Promise<number> {
  const { command, args, env, signal } = options;
  // What asked this process to end before now would never reach the child.
  signal.throwIfAborted();
  const child = spawn(command, [...args], { env: withoutSecrets(env), stdio: "inherit" });
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

/**
 * Runs a program without a shell and returns what it prints to stdout. It is killed when `signal` is aborted or after `maxMs`, since it may ignore
 * every other signal.
 *
 * @throws {Error} of the operating system if it cannot be started; if it fails, is killed or `signal` is aborted
 */
export async function readChild(options: ChildOptions, maxMs: number): Promise<string> {
  const { command, args, env, signal } = options;
  const killSignal = "SIGKILL";
  const running = promisify(execFile)(command, [...args], {
    env: withoutSecrets(env),
    signal,
    timeout: maxMs,
    killSignal,
    windowsHide: true,
  });
  // For `signal` alone Node.js sends SIGTERM, and this process would wait for a child that ignores it.
  const kill = (): void => void running.child.kill(killSignal);
  signal.addEventListener("abort", kill);
  try {
    return (await running).stdout;
  } finally {
    signal.removeEventListener("abort", kill);
  }
}

async function exitCodeOf(child: ChildProcess): Promise<number> {
  const [code, signal]: [number | null, NodeJS.Signals | null] = (await once(
    child,
    "exit",
  )) as never;
  return code ?? 128 + (signal === null ? 0 : constants.signals[signal]);
}
