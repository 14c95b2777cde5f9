import { type ChildProcessByStdio, spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { join } from "node:path";
import type { Readable } from "node:stream";
import type { ProcessResult } from "@countersign/testing";
import type { ResidentAnswer, ResidentCommand } from "./resident-messages.js";

const PROGRAM = join(import.meta.dirname, "../processes/resident.ts");
// More run while more commands run at once.
const MAX_IDLE = 2;

/** Processes that each run one command of the built program after the other. Commands that run at once run in different ones. */
export class ResidentPool {
  readonly #bin: string;
  readonly #all = new Set<Resident>();
  readonly #idle: Resident[] = [];

  /** @param bin - the built program */
  constructor(bin: string) {
    this.#bin = bin;
  }

  /**
   * Runs a command to its end.
   *
   * @throws {Error} if the process for it ended before the command came: something that an earlier command left behind ended it
   */
  async run(command: Omit<ResidentCommand, "endMark">): Promise<ProcessResult> {
    const resident = this.#idle.pop() ?? new Resident(this.#bin);
    this.#all.add(resident);
    const result = await resident.run(command);
    if (!resident.ended && !resident.isSpent && this.#idle.length < MAX_IDLE) {
      this.#idle.push(resident);
    } else {
      this.#all.delete(resident);
      await resident.end();
    }
    return result;
  }

  /** Ends every process, also in the middle of a command. */
  async end(): Promise<void> {
    await Promise.all([...this.#all].map((resident) => resident.end()));
  }
}

type ResidentProcess = ChildProcessByStdio<null, Readable, Readable>;

class Resident {
  readonly #child: ResidentProcess;
  readonly #closed: Promise<undefined>;
  #stdout = "";
  #stderr = "";
  #busy = false;
  #isSpent = false;
  #look = (): void => undefined;

  constructor(bin: string) {
    this.#child = spawn(process.execPath, [PROGRAM, bin], {
      stdio: ["ignore", "pipe", "pipe", "ipc"],
    }) as ResidentProcess;
    const { stdout, stderr } = this.#child;
    // Not its own event: that does not come behind a disconnection from here.
    this.#closed = Promise.all([
      once(this.#child, "exit"),
      once(stdout, "close"),
      once(stderr, "close"),
    ]).then(() => undefined);
    stdout.setEncoding("utf8").on("data", (text: string) => {
      this.#stdout += text;
      this.#look();
    });
    stderr.setEncoding("utf8").on("data", (text: string) => {
      this.#stderr += text;
      this.#look();
    });
  }

  get ended(): boolean {
    return this.#child.exitCode !== null || this.#child.signalCode !== null;
  }

  get isSpent(): boolean {
    return this.#isSpent;
  }

  async run(command: Omit<ResidentCommand, "endMark">): Promise<ProcessResult> {
    if (this.ended) throw new Error(`ended between two commands: ${this.#stderr}`);
    this.#busy = true;
    const endMark = `[end of ${randomUUID()}]`;
    const answered = this.#answer(endMark);
    this.#child.send({ ...command, endMark } satisfies ResidentCommand);
    const answer = await Promise.race([answered, this.#closed]);
    this.#busy = false;
    const [stdout, stderr] = [this.#stdout, this.#stderr];
    this.#stdout = "";
    this.#stderr = "";
    if (answer === undefined) {
      const { exitCode: code, signalCode: signal } = this.#child;
      return { code, signal, stdout, stderr };
    }
    this.#isSpent = answer.isSpent;
    const own = (text: string) => text.slice(0, -endMark.length);
    return { code: answer.code, signal: null, stdout: own(stdout), stderr: own(stderr) };
  }

  async end(): Promise<void> {
    // One that ends by itself keeps what it compiled.
    if (this.#busy || !this.#child.connected) this.#child.kill("SIGKILL");
    else this.#child.disconnect();
    await this.#closed;
  }

  /** The answer of the process, once all that was printed before it is here too. */
  #answer(endMark: string): Promise<ResidentAnswer> {
    return new Promise((resolve) => {
      let answer: ResidentAnswer | undefined;
      this.#look = () => {
        if (answer === undefined) return;
        if (this.#stdout.endsWith(endMark) && this.#stderr.endsWith(endMark)) resolve(answer);
      };
      this.#child.once("message", (message) => {
        answer = message as ResidentAnswer;
        this.#look();
      });
    });
  }
}
