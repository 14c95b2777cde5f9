import { AuthorityError } from "../authority-error.js";
import { isAway } from "./temporary-failure.js";

// An authority that is being mended may ask for longer; it is asked again all the same.
const LONGEST_MS = 60_000;
// Doubled with each probe that times out, so that an authority that answers slowly is found too.
const FIRST_PROBE_MS = 500;

interface Outage {
  readonly error: AuthorityError;
  /** Epoch milliseconds. */
  readonly since: number;
  readonly lastsMs: number;
  /** Probes that timed out. */
  readonly timeouts: number;
}

/** Remembers that the authority is away, for the calls of one client that want a quick answer then. */
export class OutageMemory {
  readonly #now: () => number;
  #outage: Outage | undefined;
  #isProbing = false;

  constructor(now: () => number) {
    this.#now = now;
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
      if (isAway(error)) {
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
