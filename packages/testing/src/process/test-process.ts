import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";

/** How to start a process. */
export interface ProcessOptions {
  /** Laid over this process's environment; `undefined` removes a variable. */
  readonly env?: Readonly<Record<string, string | undefined>> | undefined;
  /** Written to its standard input, which is then closed. Default: closed at once by `runProcess`, left open by `startProcess`. */
  readonly input?: string | Uint8Array | undefined;
  readonly cwd?: string | undefined;
  /** Kills the process (SIGKILL) when aborted. */
  readonly signal?: AbortSignal | undefined;
}

/** How a process ended, and what it printed. */
export interface ProcessResult {
  /** Exit code; `null` when a signal ended it. */
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A process that runs. Disposing kills it. */
export interface TestProcess extends AsyncDisposable {
  readonly pid: number;
  /** What it printed so far. */
  readonly stdout: string;
  readonly stderr: string;
  /** How it ended. */
  readonly exited: Promise<ProcessResult>;
  /**
   * The first line of standard output or standard error that matches, also one printed before the call. Rejects when the process ends
   * without one, with what it printed.
   */
  waitForLine(pattern: RegExp): Promise<RegExpExecArray>;
  write(text: string): void;
  endInput(): void;
  kill(signal?: NodeJS.Signals): void;
}

/** Starts a process and leaves it running. Rejects when it cannot be started. */
export async function startProcess(
  command: string,
  args: readonly string[] = [],
  options: ProcessOptions = {},
): Promise<TestProcess> {
  const env = { ...process.env, ...options.env };
  const child = spawn(command, [...args], {
    env: Object.fromEntries(Object.entries(env).filter(([, value]) => value !== undefined)),
    cwd: options.cwd,
    stdio: "pipe",
    signal: options.signal,
    killSignal: "SIGKILL",
  });
  // An abort is reported as an error too. It is ignored here because `exited` reports how the process ended.
  child.on("error", () => undefined);
  // A process that ends without reading its input is no fault of the test.
  child.stdin.on("error", () => undefined);
  if (child.pid === undefined) {
    const [error] = await once(child, "error");
    throw error;
  }
  return new RunningProcess(child, child.pid, options.input);
}

/** Runs a process to its end. Rejects only when it cannot be started. */
export async function runProcess(
  command: string,
  args: readonly string[] = [],
  options: ProcessOptions = {},
): Promise<ProcessResult> {
  const running = await startProcess(command, args, { ...options, input: options.input ?? "" });
  return await running.exited;
}

class RunningProcess implements TestProcess {
  readonly pid: number;
  readonly exited: Promise<ProcessResult>;
  readonly #child: ChildProcess;
  readonly #watchers = new Set<() => void>();
  #stdout = "";
  #stderr = "";
  #ended = false;

  constructor(child: ChildProcess, pid: number, input: string | Uint8Array | undefined) {
    this.#child = child;
    this.pid = pid;
    child.stdout?.setEncoding("utf8").on("data", (text: string) => {
      this.#stdout += text;
      this.#look();
    });
    child.stderr?.setEncoding("utf8").on("data", (text: string) => {
      this.#stderr += text;
      this.#look();
    });
    this.exited = new Promise((resolve) => {
      child.on("close", (code, signal) => {
        this.#ended = true;
        this.#look();
        resolve({ code, signal, stdout: this.#stdout, stderr: this.#stderr });
      });
    });
    if (input !== undefined) child.stdin?.end(input);
  }

  get stdout(): string {
    return this.#stdout;
  }

  get stderr(): string {
    return this.#stderr;
  }

  waitForLine(pattern: RegExp): Promise<RegExpExecArray> {
    return new Promise((resolve, reject) => {
      const look = () => {
        for (const output of [this.#stdout, this.#stderr]) {
          // Whole lines only, unless the process has ended.
          const end = this.#ended ? output.length : output.lastIndexOf("\n");
          for (const line of output.slice(0, Math.max(end, 0)).split("\n")) {
            const match = new RegExp(pattern.source, pattern.flags.replace("g", "")).exec(line);
            if (match !== null) {
              this.#watchers.delete(look);
              resolve(match);
              return;
            }
          }
        }
        if (this.#ended) {
          this.#watchers.delete(look);
          reject(
            new Error(
              `ended without a line ${pattern}\nstdout: ${this.#stdout}\nstderr: ${this.#stderr}`,
            ),
          );
        }
      };
      this.#watchers.add(look);
      look();
    });
  }

  write(text: string): void {
    this.#child.stdin?.write(text);
  }

  endInput(): void {
    this.#child.stdin?.end();
  }

  kill(signal: NodeJS.Signals = "SIGTERM"): void {
    this.#child.kill(signal);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.kill("SIGKILL");
    await this.exited;
  }

  #look(): void {
    for (const watcher of [...this.#watchers]) watcher();
  }
}
