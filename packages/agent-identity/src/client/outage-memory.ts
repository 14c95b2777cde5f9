import { LinkedMap } from "@countersign/agent-key";
import { AuthorityError } from "../authority-error.js";
import { isAway, isPassingAnswer } from "./temporary-failure.js";

// An authority that is being mended may ask for longer; it is asked again all the same.
const LONGEST_MS = 60_000;
// Doubled with each probe that times out, so that an authority that answers slowly is found too.
const FIRST_PROBE_MS = 500;
const MAX_ANSWERS = 1_000;

interface Outage {
  readonly error: AuthorityError;
  /** Epoch milliseconds. */
  readonly since: number;
  readonly lastsMs: number;
  /** Probes that timed out. */
  readonly timeouts: number;
}

/** Remembers a failure of one kind, for the calls of one client that want a quick answer then. */
export class OutageMemory {
  readonly #now: () => number;
  readonly #remembers: (error: unknown) => error is AuthorityError;
  #outage: Outage | undefined;
  #isProbing = false;

  /** @param remembers - which failures make an outage. Default: those that say that the authority is away */
  constructor(now: () => number, remembers: (error: unknown) => error is AuthorityError = isAway) {
    this.#now = now;
    this.#remembers = remembers;
  }

  /**
   * Runs a call, unless the authority is known to be away: then it rejects at once with the error that told so. When the time of the outage is
   * over, one call at a time asks again.
   *
   * @param call - gets the milliseconds that it may take with one attempt, if it asks whether the outage is over
   */
  async run<T>(outageMs: number, call: (probeMs: number | undefined) => Promise<T>): Promise<T> {
    const outage = this.#outage;
    if (outage === undefined) return await this.#watch(outageMs, undefined, () => call(undefined));
    if (this.#isProbing || this.#isAway(outage)) throw outage.error;
    this.#isProbing = true;
    try {
      const probeMs = FIRST_PROBE_MS * 2 ** outage.timeouts;
      return await this.#watch(outageMs, outage, () => call(probeMs));
    } finally {
      this.#isProbing = false;
    }
  }

  // A clock that was set back ends an outage, and does not prolong it.
  #isAway({ since, lastsMs }: Outage): boolean {
    const age = this.#now() - since;
    return age >= 0 && age < lastsMs;
  }

  async #watch<T>(
    outageMs: number,
    before: Outage | undefined,
    call: () => Promise<T>,
  ): Promise<T> {
    try {
      const result = await call();
      this.#outage = undefined;
      return result;
    } catch (error) {
      if (this.#remembers(error)) {
        const askedMs = Math.min((error.retryAfterSeconds ?? 0) * 1000, LONGEST_MS);
        const lastsMs = Math.max(outageMs, askedMs);
        const more = error.code === "timeout" ? 1 : 0;
        const timeouts = before === undefined ? 0 : before.timeouts + more;
        this.#outage = { error, since: this.#now(), lastsMs, timeouts };
      } else if (AuthorityError.is(error) && error.status !== undefined) {
        // An answer: the authority is there.
        this.#outage = undefined;
      }
      throw error;
    }
  }
}

/** Limits of a call that asks whether a failure is over. A call that asks for its own sake has none. */
export interface ProbeLimits {
  readonly attempts?: 1;
  /** Only a call that asks for all callers is cut short: one caller's failure says nothing of how fast the authority answers. */
  readonly deadlineMs?: number;
}

/**
 * Remembers for all calls of a client that the authority is away. A temporary failure that is an answer to one caller's request is remembered
 * for that caller and request alone, so that a request that always fails does not stop others.
 */
export class FailureMemory {
  readonly #now: () => number;
  readonly #away: OutageMemory;
  readonly #answers = new LinkedMap<string, OutageMemory>(MAX_ANSWERS);

  constructor(now: () => number) {
    this.#now = now;
    this.#away = new OutageMemory(now);
  }

  /**
   * Runs a call as {@link OutageMemory.run} does.
   *
   * @param key - names the caller and the request
   * @param call - gets its limits
   */
  async run<T>(
    outageMs: number,
    key: string,
    call: (limits: ProbeLimits) => Promise<T>,
  ): Promise<T> {
    const answers = this.#answers.get(key) ?? new OutageMemory(this.#now, isPassingAnswer);
    this.#answers.set(key, answers);
    return await answers.run(outageMs, (ownMs) =>
      this.#away.run(outageMs, (awayMs) => {
        if (awayMs !== undefined) return call({ attempts: 1, deadlineMs: awayMs });
        return call(ownMs === undefined ? {} : { attempts: 1 });
      }),
    );
  }
}
