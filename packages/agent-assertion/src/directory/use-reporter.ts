import type { Code } from "@countersign/agent-key";
import type { AgentAssertionError } from "../agent-assertion-error.js";
import { type AgentUse, UseLog } from "./use-log.js";

// A flush waits so long at most, so that a process ends soon after it was told to.
const FLUSH_MS = 1000;
// A timer that is this late is taken for one that never fires: a platform may end it with the request in which it was set.
const LATE_MS = 60_000;
// After failures in a row, the time to the next report grows up to so many times the usual one.
const MAX_PAUSES = 10;

/** What became of one report of uses, for metrics. It holds no id and no secret. */
export interface UseReportEvent {
  readonly outcome: "sent" | "failed";
  /** How many uses it held: of each agent one, of each task one. */
  readonly uses: number;
  /** How many uses were dropped since the last report: there was no room for them, or the authority refused them for good. */
  readonly dropped: number;
  /** With `failed`: why. The uses are kept for the next report if the failure is temporary. */
  readonly code?: Code | undefined;
}

/** Options of {@link UseReporter}. */
export interface UseReporterOptions {
  readonly everyMs: number;
  readonly now: () => number;
  /** Sends one report. Never rejects. @returns why it was not taken, if so */
  readonly send: (uses: readonly AgentUse[]) => Promise<AgentAssertionError | undefined>;
  /** Called with each report. Never throws. */
  readonly tell: (event: UseReportEvent) => void;
}

/** Reports to the authority which agents and tasks are used. Noting a use waits for nothing, and one report is under way at a time. */
export class UseReporter {
  readonly #options: UseReporterOptions;
  readonly #uses = new UseLog();
  #timer: ReturnType<typeof setTimeout> | undefined;
  #dueAt: number | undefined;
  #running: Promise<void> | undefined;
  #failures = 0;
  #closed: Promise<void> | undefined;

  constructor(options: UseReporterOptions) {
    this.#options = options;
  }

  note(agentRuntimeId: string, taskId: string): void {
    if (this.#closed !== undefined) return;
    const now = this.#options.now();
    this.#uses.note(agentRuntimeId, taskId, now);
    const dueAt = this.#dueAt;
    if (dueAt === undefined || Math.abs(now - dueAt) > this.#pauseMs() + LATE_MS) this.#arm(now);
  }

  /** Reports what waits, and nothing after it. Waits a second at most. */
  close(): Promise<void> {
    this.#closed ??= this.#flush();
    return this.#closed;
  }

  async #flush(): Promise<void> {
    clearTimeout(this.#timer);
    if (this.#running === undefined && this.#uses.size === 0) return;
    const late = Promise.withResolvers<void>();
    const timer = setTimeout(late.resolve, FLUSH_MS);
    await Promise.race([late.promise, this.#finish()]);
    clearTimeout(timer);
  }

  async #finish(): Promise<void> {
    await this.#running;
    await this.#report();
  }

  #pauseMs(): number {
    return this.#options.everyMs * Math.min(2 ** this.#failures, MAX_PAUSES);
  }

  #arm(now: number): void {
    clearTimeout(this.#timer);
    this.#dueAt = now + this.#pauseMs();
    this.#timer = setTimeout(() => void this.#run(), this.#pauseMs());
    // Of Node, Bun and Deno; elsewhere a timer is a number.
    (this.#timer as { unref?(): void }).unref?.();
  }

  async #run(): Promise<void> {
    this.#running ??= this.#report();
    await this.#running;
    this.#running = undefined;
    this.#dueAt = undefined;
    if (this.#uses.size > 0 && this.#closed === undefined) this.#arm(this.#options.now());
  }

  async #report(): Promise<void> {
    const { send, tell } = this.#options;
    // Uses that come while this runs wait for the next time.
    let left = this.#uses.size;
    while (left > 0) {
      const batch = this.#uses.take();
      left -= batch.length;
      const error = await send(batch);
      this.#failures = error === undefined ? 0 : this.#failures + 1;
      if (error?.retryable) this.#uses.putBack(batch);
      else if (error !== undefined) this.#uses.drop(batch);
      const counts = { uses: batch.length, dropped: this.#uses.takeDropped() };
      if (error === undefined) tell({ outcome: "sent", ...counts });
      else tell({ outcome: "failed", ...counts, code: error.code });
      if (error !== undefined) return;
    }
  }
}
