import type { ServerResponse } from "node:http";
import { type IntervalHistogram, monitorEventLoopDelay } from "node:perf_hooks";
import type { ServerLimits } from "./server-limits.js";

/** Why a request was turned away. */
export type ShedReason = "requests" | "event_loop";

export const SHED_REASONS: readonly ShedReason[] = ["requests", "event_loop"];

type GateLimits = Pick<
  ServerLimits,
  "maxRequests" | "maxEventLoopDelayMs" | "maxConnectionsPerAddress"
>;

const RESOLUTION_MS = 20;
const LOOK_MS = 500;
const MIN_SAMPLES = 2;
const SHED_FIRST_SHARE = 0.25;

/**
 * Turns requests away before memory grows: beyond a number of requests in work, and while the event loop cannot keep up. This also bounds
 * what waits for the database, because each request waits there for one thing at a time.
 */
export class LoadGate {
  readonly #limits: GateLimits;
  readonly #delay: IntervalHistogram;
  readonly #timer: NodeJS.Timeout;
  readonly #inWorkBy = new Map<string, number>();
  #inWork = 0;
  #isLate = false;

  constructor(limits: GateLimits) {
    this.#limits = limits;
    this.#delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
    this.#delay.enable();
    this.#timer = setInterval(() => this.#look(), LOOK_MS).unref();
  }

  /**
   * Takes a place until the answer is sent. Takes none, and returns the reason, if the request is to be turned away.
   *
   * @param holder - the client that the place counts for. It has at most as many places as connections, because one connection may send many
   *   requests before it reads an answer. `undefined` for a proxy, which is not limited
   * @param isShedFirst - whether it is turned away first, as soon as a quarter of the places is taken
   */
  enter(response: ServerResponse, holder?: string, isShedFirst = false): ShedReason | undefined {
    const held = holder === undefined ? 0 : (this.#inWorkBy.get(holder) ?? 0);
    const { maxRequests, maxConnectionsPerAddress } = this.#limits;
    const places = isShedFirst ? Math.ceil(maxRequests * SHED_FIRST_SHARE) : maxRequests;
    if (this.#inWork >= places || held >= maxConnectionsPerAddress) return "requests";
    if (this.#isLate) return "event_loop";
    this.#inWork += 1;
    if (holder !== undefined) this.#inWorkBy.set(holder, held + 1);
    response.once("close", () => {
      this.#inWork -= 1;
      if (holder !== undefined) this.#leave(holder);
    });
    return undefined;
  }

  #leave(holder: string): void {
    const left = (this.#inWorkBy.get(holder) ?? 1) - 1;
    if (left === 0) this.#inWorkBy.delete(holder);
    else this.#inWorkBy.set(holder, left);
  }

  close(): void {
    clearInterval(this.#timer);
    this.#delay.disable();
  }

  // Uses the median, so that no client is turned away for a single long pause that has ended.
  #look(): void {
    // After a reset the first tick counts for nothing, and a loop that is held up has few: what there is stays until it is enough.
    if (this.#delay.count < MIN_SAMPLES) return;
    const delayMs = this.#delay.percentile(50) / 1e6 - RESOLUTION_MS;
    this.#isLate = delayMs > this.#limits.maxEventLoopDelayMs;
    this.#delay.reset();
  }
}
