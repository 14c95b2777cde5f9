import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Step } from "./read-steps.ts";

const LISTENING = /^listening .*?(\d+)\D*$/m;
const PORT = /(?<=127\.0\.0\.1:|listen\()\d{4}\b/g;
// An installation without a cache, on a busy machine.
const PATIENCE_MS = 300_000;

/** Does what the README says, in a folder. */
export class Reader implements AsyncDisposable {
  readonly #folder: string;
  readonly #env: NodeJS.ProcessEnv;
  // The README's ports may be taken: each server takes a free one, and later steps name that.
  readonly #ports = new Map<string, string>();
  readonly #running: ChildProcess[] = [];

  /** @param env - all variables of its commands */
  constructor(folder: string, env: NodeJS.ProcessEnv) {
    this.#folder = folder;
    this.#env = env;
  }

  /** Does one step. @returns what a command printed on stdout; a server goes on in a terminal of its own */
  async do(step: Step): Promise<string> {
    const text = step.kind === "write" ? step.text : step.script;
    const named = [...text.matchAll(PORT)].map(([port]) => port);
    const free = named.find((port) => !this.#ports.has(port));
    const own = text.replace(PORT, (port) => this.#ports.get(port) ?? "0");
    if (free !== undefined) this.#ports.set(free, "0");
    if (step.kind === "write") {
      writeFileSync(join(this.#folder, step.file), own);
      return "";
    }
    const { stdout, port } = await this.#run(own);
    const waiting = [...this.#ports].find(([, taken]) => taken === "0");
    if (port !== undefined && waiting !== undefined) this.#ports.set(waiting[0], port);
    return stdout;
  }

  async #run(script: string): Promise<{ stdout: string; port?: string | undefined }> {
    const child = spawn("bash", ["-euo", "pipefail", "-c", script], {
      cwd: this.#folder,
      env: this.#env,
      // A group of its own, so that a server ends with the package manager that started it.
      detached: true,
      stdio: ["ignore", "pipe", "pipe"],
    });
    this.#running.push(child);
    const printed = { stdout: "", stderr: "" };
    let listens = (_port: string) => {};
    const listening = new Promise<string>((resolve) => {
      listens = resolve;
    });
    for (const name of ["stdout", "stderr"] as const) {
      child[name].setEncoding("utf8").on("data", (chunk: string) => {
        printed[name] += chunk;
        const port = LISTENING.exec(printed.stdout)?.[1];
        if (port !== undefined) listens(port);
      });
    }
    const ended = once(child, "close").then(([code]) => ({ code }));
    const timer = setTimeout(() => kill(child), PATIENCE_MS);
    const outcome = await Promise.race([ended, listening]);
    clearTimeout(timer);
    if (typeof outcome === "string") return { stdout: printed.stdout, port: outcome };
    if (outcome.code === 0) return { stdout: printed.stdout };
    throw new Error(`${script}ended with ${outcome.code}\n${printed.stdout}${printed.stderr}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const child of this.#running) {
      if (child.exitCode !== null || child.signalCode !== null) continue;
      const closed = once(child, "close");
      kill(child);
      await closed;
    }
  }
}

function kill({ pid }: ChildProcess): void {
  if (pid !== undefined) process.kill(-pid, "SIGKILL");
}
