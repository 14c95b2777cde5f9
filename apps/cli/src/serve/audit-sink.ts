import { setTimeout as pause } from "node:timers/promises";
import { escapeText } from "@countersign/agent-key/escaping";
import { AuditQueue, type AuditState } from "./audit-queue.js";
import type { AuditTarget, PromptTarget, SlowTarget } from "./audit-target.js";

/** Called by an {@link AuditSink} when its state changes. */
export interface AuditSinkEvents {
  /** Lines cannot be written; they wait. */
  onFailure(error: unknown): void;
  /** The first line was dropped since the last failure or start. */
  onLoss(): void;
  /** Lines are written again. @param lost - how many were dropped in between */
  onRecovery(lost: number): void;
  /** At the end lines were left that could not be written. */
  onAbandoned(lost: number): void;
}

const RETRY_MS = 1_000;
// How long another file may have the path before it is noticed.
const FOLLOW_MS = 1_000;
// A line that waits for longer counts as not written: the reader of a pipe has stopped.
const STALLED_MS = 10_000;

/** Writes the lines of an audit. What cannot be written waits, and is tried again each second. */
export class AuditSink {
  readonly #target: AuditTarget;
  readonly #events: AuditSinkEvents;
  readonly #now: () => number;
  readonly #queue: AuditQueue;
  #retry: NodeJS.Timeout | undefined;
  #flushing: Promise<void> | undefined;
  #followedAt: number;
  #hasFailed = false;
  #lostBefore = 0;

  /** @param now - milliseconds of a clock that is never set. Default: those that this process has run */
  constructor(
    target: AuditTarget,
    events: AuditSinkEvents,
    now: () => number = () => performance.now(),
  ) {
    this.#target = target;
    this.#events = events;
    this.#now = now;
    this.#queue = new AuditQueue(now);
    this.#followedAt = now();
  }

  get state(): AuditState {
    return this.#queue.state;
  }

  /** Whether lines are written: the last one was, none has waited for 10 seconds, and half of the room for those that wait is free. */
  get isWritten(): boolean {
    return !this.#hasFailed && !this.#queue.isHalfFull && this.state.oldestMs < STALLED_MS;
  }

  /** Appends one entry. A file of this machine has it before this returns, unless it cannot be written. */
  append(entry: object): void {
    if (!this.#queue.add(Buffer.from(`${escapeText(JSON.stringify(entry))}\n`))) {
      if (this.state.lost === this.#lostBefore + 1) this.#events.onLoss();
      return;
    }
    if (this.#retry === undefined) this.#flush();
  }

  /** Looks at once whether another file has the path, and tries again what waits. */
  reopen(): void {
    clearTimeout(this.#retry);
    this.#retry = undefined;
    this.#followedAt = Number.NEGATIVE_INFINITY;
    this.#flush();
  }

  /**
   * Writes what waits, once more, and closes the file.
   *
   * @param longestMs - what the other side of a pipe, or another machine, has not taken by then is lost, and counted
   */
  async close(longestMs: number): Promise<void> {
    const isOver = await within(longestMs, this.#flushLast());
    clearTimeout(this.#retry);
    const lost = this.#queue.abandon();
    if (lost > 0) this.#events.onAbandoned(lost);
    // It would wait for the write.
    if (isOver) await this.#target.close();
  }

  async #flushLast(): Promise<void> {
    await this.#flushing;
    clearTimeout(this.#retry);
    this.#retry = undefined;
    this.#flush();
    await this.#flushing;
  }

  #flush(): void {
    if (this.#target.isPrompt) {
      this.#flushNow(this.#target);
      return;
    }
    this.#flushing ??= this.#flushLater(this.#target).finally(() => {
      this.#flushing = undefined;
    });
  }

  #flushNow(target: PromptTarget): void {
    try {
      if (this.#isTimeToFollow() && target.follow()) this.#queue.restartLine();
      while (!this.#queue.isEmpty) this.#queue.wrote(target.write(this.#queue.next()));
      this.#succeeded();
    } catch (error) {
      this.#failed(error);
    }
  }

  async #flushLater(target: SlowTarget): Promise<void> {
    try {
      do {
        if (this.#isTimeToFollow() && (await target.follow())) this.#queue.restartLine();
        if (!this.#queue.isEmpty) this.#queue.wrote(await target.write(this.#queue.next()));
      } while (!this.#queue.isEmpty);
      this.#succeeded();
    } catch (error) {
      this.#failed(error);
    }
  }

  #isTimeToFollow(): boolean {
    const now = this.#now();
    const isTime = now - this.#followedAt >= FOLLOW_MS || this.#queue.hasHalfLine;
    if (isTime) this.#followedAt = now;
    return isTime;
  }

  #succeeded(): void {
    const { lost } = this.state;
    if (this.#hasFailed || lost > this.#lostBefore)
      this.#events.onRecovery(lost - this.#lostBefore);
    this.#hasFailed = false;
    this.#lostBefore = lost;
  }

  #failed(error: unknown): void {
    if (!this.#hasFailed) this.#events.onFailure(error);
    this.#hasFailed = true;
    this.#retry = setTimeout(() => {
      this.#retry = undefined;
      this.#flush();
    }, RETRY_MS);
  }
}

/** @returns whether the work was over in time */
async function within(longestMs: number, work: Promise<void>): Promise<boolean> {
  const over = new AbortController();
  const late = pause(longestMs, false, { signal: over.signal }).catch(() => false);
  try {
    return await Promise.race([work.then(() => true), late]);
  } finally {
    over.abort();
  }
}
