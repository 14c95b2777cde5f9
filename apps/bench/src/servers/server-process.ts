import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";

const HOOK = new URL("report-usage.mjs", import.meta.url).href;
const START_MS = 120_000;
const END_MS = 15_000;

/** What a server's process has used since it started. */
export interface Usage {
  readonly cpuMicros: number;
  readonly rssBytes: number;
}

/** What is started, besides the arguments. */
export interface ServerOptions {
  readonly env?: Readonly<Record<string, string>> | undefined;
  readonly nodeFlags?: readonly string[] | undefined;
}

/** A server in a process of its own, which says what it uses. */
export class ServerProcess implements AsyncDisposable {
  readonly url: string;
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess, url: string) {
    this.#child = child;
    this.url = url;
  }

  /**
   * Starts a program of Node and waits until it prints the URL that it listens on.
   *
   * @throws if it ends, or is silent for two minutes
   */
  static async start(
    program: string,
    args: readonly string[],
    options: ServerOptions = {},
  ): Promise<ServerProcess> {
    const child = spawn(
      process.execPath,
      [...(options.nodeFlags ?? []), `--import=${HOOK}`, program, ...args],
      { stdio: ["ignore", "pipe", "inherit", "ipc"], env: { ...process.env, ...options.env } },
    );
    const timer = setTimeout(() => child.kill("SIGKILL"), START_MS);
    try {
      for await (const line of createInterface(child.stdout as NodeJS.ReadableStream)) {
        const url = /https?:\/\/[^\s"]+/.exec(line)?.[0];
        if (url === undefined) continue;
        // What it prints later is not read, and must not block it.
        child.stdout?.resume();
        return new ServerProcess(child, url);
      }
    } finally {
      clearTimeout(timer);
    }
    throw new Error(`${program} ended before it listened`);
  }

  /** Asks the process what it has used so far. */
  async usage(): Promise<Usage> {
    const answered = once(this.#child, "message");
    this.#child.send("usage");
    const [usage] = (await answered) as [Usage];
    return usage;
  }

  /** Ends it as an operator does; by force if it does not end in time. */
  async [Symbol.asyncDispose](): Promise<void> {
    const child = this.#child;
    if (child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, "exit");
    child.kill("SIGTERM");
    const timer = setTimeout(() => child.kill("SIGKILL"), END_MS);
    await exited;
    clearTimeout(timer);
  }
}
