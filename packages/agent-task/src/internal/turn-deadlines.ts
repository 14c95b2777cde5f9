import type { AgentIdentityManager } from "@countersign/agent-identity";
import { untilAborted } from "@countersign/agent-key";
import type { TaskScope } from "../agent-task.js";
import { endedError, toRegistrationError } from "./registration-failure.js";
import { settlesAtOnce } from "./settles-at-once.js";
import { startCountdown, type TaskTimers } from "./task-timers.js";

/** What {@link TurnDeadlines} works with. */
export interface TurnDeadlinesOptions {
  readonly identities: Pick<AgentIdentityManager, "authority">;
  readonly timers: TaskTimers;
  /** What a turn has in all. Milliseconds. */
  readonly deadlineMs: number;
}

/** How a call waits. */
export interface WaitOptions {
  readonly signal?: AbortSignal | undefined;
  /** The milliseconds that are left for it, where it is a part of something longer. Default: `deadlineMs` from now. */
  readonly remainingMs?: (() => number) | undefined;
  /** How many milliseconds the whole may take, if less than the manager's `deadlineMs`. */
  readonly deadlineMs?: number | undefined;
  /** As the options of the same names of calls to the authority. */
  readonly attempts?: number | undefined;
  readonly outageMs?: number | undefined;
  readonly requestId?: string | undefined;
}

/** Bounds what a turn waits for. */
export class TurnDeadlines {
  readonly #options: TurnDeadlinesOptions;

  constructor(options: TurnDeadlinesOptions) {
    this.#options = options;
  }

  /** The milliseconds that a turn has in all. */
  totalMs({ deadlineMs: mostMs = Number.POSITIVE_INFINITY }: WaitOptions): number {
    return Math.min(this.#options.deadlineMs, mostMs);
  }

  /** Counts down the time that everything together may take. */
  countdown(wait: WaitOptions = {}): () => number {
    return startCountdown(this.#options.timers, this.totalMs(wait));
  }

  /**
   * Runs something until the deadline or the caller's signal.
   *
   * @param late - what is said when the time is over
   * @throws {TaskRegistrationError} `timeout`; otherwise what it threw, in a form that a caller outside of a turn understands too
   */
  async run<T>(
    scope: TaskScope,
    { signal, remainingMs = this.countdown() }: WaitOptions,
    run: (signal: AbortSignal) => Promise<T>,
    late = "the thread was busy",
  ): Promise<T> {
    const { timers, identities } = this.#options;
    const deadline = new AbortController();
    const stopTimer = timers.after(Math.max(1, remainingMs()), () =>
      deadline.abort(endedError("timeout", late, scope)),
    );
    const ended = deadline.signal;
    try {
      return await run(signal === undefined ? ended : AbortSignal.any([ended, signal]));
    } catch (error) {
      const given = signal?.aborted ? endedError("cancelled", "the caller ended it", scope) : error;
      const cause = ended.aborted ? ended.reason : given;
      throw toRegistrationError(cause, { scope, authority: identities.authority });
    } finally {
      stopTimer();
    }
  }

  /** Waits for what was begun to read the login as {@link TurnDeadlines.run} does; without a timer if nothing has to be waited for. */
  async settle<T>(scope: TaskScope, wait: WaitOptions, begun: Promise<T>): Promise<T> {
    const { authority } = this.#options.identities;
    if (await settlesAtOnce(begun)) {
      return await begun.catch((error: unknown) => {
        throw toRegistrationError(error, { scope, authority });
      });
    }
    const late = `the login was not read in time: check that the authority at ${authority} runs, and that its address is right`;
    return await this.run(scope, wait, (signal) => untilAborted(begun, signal), late);
  }
}
