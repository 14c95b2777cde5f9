import type { TestProcess } from "@countersign/testing";
import { startCountersign } from "../../command-line.js";

/** What a {@link ServerSlot} runs. */
export interface SlotOptions {
  readonly args: readonly string[];
  readonly home: string;
  readonly env: Readonly<Record<string, string>>;
}

/** A server of a cluster: a process that is killed and started again, on another port each time. */
export class ServerSlot implements AsyncDisposable {
  /** Where it listens; `undefined` while it is down. */
  url: string | undefined;
  /** When it was killed, epoch ms. */
  readonly killedAt: number[] = [];
  readonly #options: SlotOptions;
  #process: TestProcess | undefined;

  constructor(options: SlotOptions) {
    this.#options = options;
  }

  async start(): Promise<void> {
    const { args, home, env } = this.#options;
    this.#process = await startCountersign(args, { home, env });
    const [, url] = await this.#process.waitForLine(/^listening on (\S+)$/);
    this.url = url;
  }

  async kill(): Promise<void> {
    this.url = undefined;
    this.killedAt.push(Date.now());
    this.#process?.kill("SIGKILL");
    await this.#process?.exited;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.url = undefined;
    await this.#process?.[Symbol.asyncDispose]();
  }
}
