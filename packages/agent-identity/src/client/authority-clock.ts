import type { CodeWith } from "@countersign/agent-key/codes";
import type { AuthorityResponse } from "./authority-request.js";

const FRESH_MS = 60_000;
const LEAST_SECONDS = 5;
const MOST_SECONDS = 24 * 60 * 60;
/** The form of a date that RFC 9110 §5.6.7 has senders use. Others are not worth a parser, and `Date.parse` alone takes nearly anything. */
export const HTTP_DATE = /^[A-Z][a-z]{2}, \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} GMT$/;

/** An exchange with the authority, as its client reports it. */
export type AuthorityExchange = Pick<AuthorityResponse, "headers" | "sentAt" | "receivedAt">;

/**
 * The clock of the one authority, as far as its answers tell: learned from their `Date`, never from a resource server's.
 *
 * @see docs/protocol.md §10
 */
export class AuthorityClock {
  readonly #now: () => number;
  #sample: { readonly offsetSeconds: number; readonly at: number } | undefined;
  /** Whole seconds to add to the local clock. 0 until a refusal made it worth learning. */
  offsetSeconds = 0;

  constructor(now: () => number) {
    this.#now = now;
  }

  /** The local clock, corrected. Epoch milliseconds. */
  now(): number {
    return this.#now() + this.offsetSeconds * 1000;
  }

  /** The best guess at the authority's clock: by its last answer if that is fresh. Epoch milliseconds. */
  latest(): number {
    return this.#isFresh() && this.#sample !== undefined
      ? this.#now() + this.#sample.offsetSeconds * 1000
      : this.now();
  }

  /** The local clock. Epoch milliseconds. */
  local(): number {
    return this.#now();
  }

  /** Remembers what an answer shows of the authority's clock. */
  observe(exchange: AuthorityExchange): void {
    const { date, age } = exchange.headers;
    // An answer with Age came out of a cache: its Date is that of another exchange.
    if (age !== undefined || typeof date !== "string" || !HTTP_DATE.test(date)) return;
    const middle = (exchange.sentAt + exchange.receivedAt) / 2;
    // Date has whole seconds, rounded down: half a second more is the best guess.
    const offsetSeconds = Math.round((Date.parse(date) + 500 - middle) / 1000);
    if (!Number.isSafeInteger(offsetSeconds)) return;
    this.#sample = { offsetSeconds, at: exchange.receivedAt };
  }

  /**
   * Learns the offset after a refusal for the time, with at most one question to the authority.
   *
   * @param usedOffsetSeconds - the offset that the refused signature was made with
   * @param ask - asks the authority anything; its answer is then observed by the caller
   * @returns whether the offset changed in the direction that the code says, so that signing again makes sense
   */
  async learn(
    code: CodeWith<"onRegistration", "correct_time">,
    usedOffsetSeconds: number,
    ask: () => Promise<void>,
  ): Promise<boolean> {
    if (!this.#isFresh()) await ask();
    if (!this.#isFresh() || this.#sample === undefined) return false;
    const { offsetSeconds } = this.#sample;
    const change = offsetSeconds - usedOffsetSeconds;
    // `expired`: the clock that signed was behind, so it must go forward; `not_yet_valid`: back.
    const agrees = code === "expired" ? change > LEAST_SECONDS : change < -LEAST_SECONDS;
    if (!agrees || Math.abs(offsetSeconds) > MOST_SECONDS) return false;
    this.offsetSeconds = Math.abs(offsetSeconds) > LEAST_SECONDS ? offsetSeconds : 0;
    return true;
  }

  #isFresh(): boolean {
    const age = this.#now() - (this.#sample?.at ?? Number.NEGATIVE_INFINITY);
    return age >= 0 && age <= FRESH_MS;
  }
}
