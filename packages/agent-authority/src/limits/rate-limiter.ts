import { formatTimestamp, LinkedMap } from "@countersign/agent-key";
import type { AuthorityStore, Rows } from "../store/authority-store.js";
import { prepareQuery } from "../store/prepared-query.js";
import type { LimitSubject } from "./limit-subject.js";
import { type Quota, RateLimited, WINDOW_SECONDS } from "./quota.js";
import type { RateLimits } from "./rate-limits.js";

const WINDOW_MS = WINDOW_SECONDS * 1_000;
// Counters that begin between two sweeps, and those of ended windows that one sweep removes: more than begin, so that none pile up.
const SWEEP_EVERY = 32;
const SWEEP_AT_MOST = 128;
const MAX_EXHAUSTED = 10_000;
const MAX_COUNTED = 10_000;

interface Counted {
  readonly name: string;
  readonly windowStart: string;
  readonly expiresAt: string;
  readonly limit: number;
}

// Gives no row where the limit was reached before.
const countOne = prepareQuery((rows, value: Counted) =>
  rows
    .insertInto("rate_limits")
    .values({
      name: value.name,
      window_start: value.windowStart,
      count: 1,
      expires_at: value.expiresAt,
    })
    .onConflict((conflict) =>
      conflict
        .columns(["name", "window_start"])
        .doUpdateSet((eb) => ({ count: eb("rate_limits.count", "+", 1) }))
        .where("rate_limits.count", "<", value.limit),
    )
    .returning("count"),
);

/**
 * Counts requests in the database, in fixed windows of a minute by the authority's clock: all processes on one database share each
 * counter, and let through exactly as many as the limit says.
 */
export class RateLimiter {
  readonly #limits: RateLimits;
  readonly #now: () => number;
  readonly #isPostgres: boolean;
  /** What has reached its limit, until when. In one window that never changes again, so it is no state that others would have to see. */
  readonly #exhausted = new LinkedMap<string, number>(MAX_EXHAUSTED);
  /** What was counted by this process alone, and the beginning of its window. */
  readonly #here = new LinkedMap<string, { readonly startMs: number; count: number }>(MAX_COUNTED);
  #begun = 0;

  constructor(store: AuthorityStore, limits: RateLimits, now: () => number) {
    this.#limits = limits;
    this.#now = now;
    this.#isPostgres = store.kind === "postgres";
  }

  /** Throws `rate_limited` when this process knows that the limit is reached, without a look at the database. */
  check(subject: LimitSubject): void {
    if (this.isExhausted(subject)) throw new RateLimited(this.#quota(subject, 0, this.#now()));
  }

  /** Returns whether this process knows that the limit is reached, without a look at the database. */
  isExhausted({ name }: LimitSubject): boolean {
    const until = this.#exhausted.get(name);
    if (until === undefined) return false;
    const nowMs = this.#now();
    // A clock that was set back is in another window, too.
    if (nowMs < until && nowMs >= until - WINDOW_MS) return true;
    this.#exhausted.delete(name);
    return false;
  }

  /**
   * Counts one request in this process alone, without the database: for what bounds the work of the process.
   *
   * @throws {RateLimited} if the limit was reached before; nothing is counted then
   */
  countHere(subject: LimitSubject): void {
    const limit = this.#limits[subject.kind];
    if (limit === undefined) return;
    const nowMs = this.#now();
    const startMs = nowMs - (nowMs % WINDOW_MS);
    const known = this.#here.get(subject.name);
    const counter = known?.startMs === startMs ? known : { startMs, count: 0 };
    if (counter.count >= limit) {
      const isFirst = this.#remember(subject.name, startMs + WINDOW_MS);
      throw new RateLimited(this.#quota(subject, 0, nowMs), { isFirst });
    }
    counter.count += 1;
    this.#here.set(subject.name, counter);
  }

  /**
   * Counts one request.
   *
   * @param rows - of the request's own transaction, as its last statement: who else is counted by the same waits until that ends
   * @returns what is left; `undefined` where there is no limit
   * @throws {RateLimited} when the limit was reached before; nothing is counted then
   */
  async count(rows: Rows, subject: LimitSubject): Promise<Quota | undefined> {
    const limit = this.#limits[subject.kind];
    if (limit === undefined) return undefined;
    const nowMs = this.#now();
    const startMs = nowMs - (nowMs % WINDOW_MS);
    const [counter] = await countOne(rows, {
      name: subject.name,
      windowStart: formatTimestamp(startMs),
      expiresAt: formatTimestamp(startMs + WINDOW_MS),
      limit,
    });
    if (counter === undefined) {
      const isFirst = this.#remember(subject.name, startMs + WINDOW_MS);
      throw new RateLimited(this.#quota(subject, 0, nowMs), { isFirst });
    }
    if (counter.count === 1) await this.#sweepNowAndThen(rows, nowMs);
    return this.#quota(subject, limit - counter.count, nowMs);
  }

  #quota({ kind }: LimitSubject, remaining: number, nowMs: number): Quota {
    const resetSeconds = Math.max(1, Math.ceil((WINDOW_MS - (nowMs % WINDOW_MS)) / 1_000));
    return { kind, limit: this.#limits[kind] ?? 0, remaining, resetSeconds };
  }

  #remember(name: string, until: number): boolean {
    const isFirst = this.#exhausted.get(name) !== until;
    this.#exhausted.set(name, until);
    return isFirst;
  }

  async #sweepNowAndThen(rows: Rows, nowMs: number): Promise<void> {
    if (this.#begun++ % SWEEP_EVERY !== 0) return;
    await rows
      .deleteFrom("rate_limits")
      .where(({ eb, refTuple, selectFrom }) =>
        eb(
          refTuple("name", "window_start"),
          "in",
          selectFrom("rate_limits")
            .select(["name", "window_start"])
            .where("expires_at", "<=", formatTimestamp(nowMs))
            .limit(SWEEP_AT_MOST)
            // Two that sweep take different ones, rather than wait for each other. SQLite has one writer at a time.
            .$if(this.#isPostgres, (query) => query.forUpdate().skipLocked())
            .$asTuple("name", "window_start"),
        ),
      )
      .execute();
  }
}
