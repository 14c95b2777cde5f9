import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { createInterface } from "node:readline";

const SAMPLE_MS = 50;

/** What a process held while something ran. */
export interface Watched {
  readonly endMiB: number;
  /** Half of the time it held no more than this. */
  readonly medianMiB: number;
  /** Nine tenths of the time it held no more than this. */
  readonly mostlyMiB: number;
  readonly peakMiB: number;
}

/** A process of a run, whose resident memory is watched. */
export class MeasuredProcess {
  readonly url: string;
  readonly #child: ChildProcess;
  constructor(child: ChildProcess, url: string) {
    this.#child = child;
    this.url = url;
  }

  /** The current resident memory. */
  async residentMiB(): Promise<number> {
    const status = await readFile(`/proc/${this.#child.pid}/status`, "utf8");
    const kiB = Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]);
    return kiB / 1_024;
  }

  /** Samples the resident memory repeatedly while `work` runs. */
  async watch(work: Promise<void>): Promise<Watched> {
    const samples: number[] = [];
    const look = async (): Promise<void> => void samples.push(await this.residentMiB());
    const timer = setInterval(() => void look().catch(() => {}), SAMPLE_MS);
    try {
      await work;
    } finally {
      clearInterval(timer);
    }
    await look();
    samples.sort((one, other) => one - other);
    return {
      endMiB: await this.residentMiB(),
      medianMiB: samples[Math.floor(samples.length * 0.5)] ?? 0,
      mostlyMiB: samples[Math.floor(samples.length * 0.9)] ?? 0,
      peakMiB: samples.at(-1) ?? 0,
    };
  }

  async end(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const exited = once(this.#child, "exit");
    this.#child.kill("SIGKILL");
    await exited;
  }
}

/** Starts a program that reads its setting as JSON and prints its URL. */
export async function startMeasured(
  program: URL,
  nodeFlags: readonly string[],
  setting: object,
): Promise<MeasuredProcess> {
  const child = spawn(process.execPath, [...nodeFlags, program.pathname], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  child.stdin.end(JSON.stringify(setting));
  for await (const line of createInterface(child.stdout)) return new MeasuredProcess(child, line);
  throw new Error(`${program.pathname} ended before it listened`);
}
