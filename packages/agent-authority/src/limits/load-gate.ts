import type { ServerResponse } from "node:http";
import { type IntervalHistogram, monitorEventLoopDelay } from "node:perf_hooks";
import type { ServerLimits } from "./server-limits.js";

/** Why a request was turned away. */
export type ShedReason = "requests" | "event_loop";

export const SHED_REASONS: readonly ShedReason[] = ["requests", "event_loop"];

const RESOLUTION_MS = 20;
const LOOK_MS = 500;
const MIN_SAMPLES = 2;

/**
 * Turns requests away before memory grows: beyond a number that are in work, and while the event loop cannot keep up. What waits for the
 * database is thereby bounded, too: a request waits there once at a time.
 */
export class LoadGate {
  readonly #limits: Pick<ServerLimits, "maxRequests" | "maxEventLoopDelayMs">;
  readonly #delay: IntervalHistogram;
  readonly #timer: NodeJS.Timeout;
  #inWork = 0;
  #isLate = false;

  constructor(limits: Pick<ServerLimits, "maxRequests" | "maxEventLoopDelayMs">) {
    this.#limits = limits;
    this.#delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
    this.#delay.enable();
    this.#timer = setInterval(() => this.#look(), LOOK_MS).unref();
  }

  /** Takes a place until the answer has gone, unless there is none. */
  enter(response: ServerResponse): ShedReason | undefined {
    if (this.#inWork >= this.#limits.maxRequests) return "requests";
    if (this.#isLate) return "event_loop";
    this.#inWork += 1;
    response.once("close", () => {
      this.#inWork -= 1;
    });
    return undefined;
  }

  close(): void {
    clearInterval(this.#timer);
    this.#delay.disable();
  }

  // The median, so that a single long pause, over by now, turns nobody away.
  #look(): void {
    // After a reset the first tick counts for nothing, and a loop that is held up has few: what there is stays until it is enough.
    if (this.#delay.count < MIN_SAMPLES) return;
    const delayMs = this.#delay.percentile(50) / 1e6 - RESOLUTION_MS;
    this.#isLate = delayMs > this.#limits.maxEventLoopDelayMs;
    this.#delay.reset();
  }
}
