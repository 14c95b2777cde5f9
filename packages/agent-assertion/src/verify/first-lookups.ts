import { untilAborted } from "@countersign/agent-key";
import { AgentAssertionError } from "../agent-assertion-error.js";
import { FairLru } from "../directory/fair-lru.js";
import type { LookupLimits } from "./lookup-limits.js";
import { TooManyLookups } from "./too-many-lookups.js";
import { UnknownRate } from "./unknown-rate.js";

const MAX_PROVEN = 10_000;
// A directory that never settles does not hold a place for ever.
const LONGEST_LOOKUP_MS = 30_000;

/** What a first lookup takes. */
export interface FirstLookup<T> {
  readonly id: string;
  /** Whose share it takes. `undefined`: sources cannot be told apart, and there are no shares. */
  readonly source: string | undefined;
  /** Ends the wait of this request, and not the lookup once it runs: or else a client that hangs up would have it for nothing. */
  readonly signal?: AbortSignal | undefined;
  readonly ask: (signal: AbortSignal) => Promise<T | undefined>;
}

interface Waiter {
  readonly id: string;
  /** @param holdsPlace - whether it has a place among those that run; one whose id is proven needs none */
  readonly admit: (holdsPlace: boolean) => void;
  readonly refuse: (error: AgentAssertionError) => void;
}

interface Source {
  readonly name: string | undefined;
  running: number;
  /** The first one waits longest. */
  readonly waiting: Set<Waiter>;
}

/**
 * Lookups of ids under which nothing was proven yet. Anybody can write such an id into an assertion, without any key, so that these lookups
 * have places of their own: few run at the same time, a bounded number waits, and the sources take turns. No source has more than half of
 * either. Ids under which a signature held are not looked up here.
 */
export class FirstLookups {
  readonly #limits: LookupLimits;
  readonly #unknown: UnknownRate;
  readonly #proven = new FairLru<true>(MAX_PROVEN);
  /** Those that run or wait, in the order in which they get their next turn. */
  readonly #sources = new Map<string | undefined, Source>();
  #running = 0;
  #waiting = 0;

  constructor(limits: LookupLimits, now: () => number) {
    this.#limits = limits;
    this.#unknown = new UnknownRate(limits.unknownPerMinute, now);
  }

  /** Whether something was proven under this id. */
  isProven(id: string): boolean {
    return this.#proven.get(id) === true;
  }

  /** Takes note that something was proven under this id. @param owner - its account, whose ids make room for its own first */
  prove(id: string, owner: string): void {
    if (this.#proven.peek(id) !== undefined) return;
    this.#proven.set(id, owner, true);
    for (const { waiting } of this.#sources.values()) {
      for (const waiter of waiting) if (waiter.id === id) waiter.admit(false);
    }
  }

  /**
   * Looks up, when it is this one's turn.
   *
   * @throws {TooManyLookups} `rate_limited` when its source's share is used up, `server_error` when all places are taken
   * @throws {AgentAssertionError} `cancelled` when the signal ended the wait
   */
  async run<T>(lookup: FirstLookup<T>): Promise<T | undefined> {
    const { source, signal, ask } = lookup;
    this.#requireRate(source);
    const holdsPlace = await this.#enter(lookup);
    try {
      // Those before it may have used it up.
      if (holdsPlace) this.#requireRate(source);
    } catch (error) {
      this.#leave(source);
      throw error;
    }
    const found = this.#ask(source, ask, holdsPlace);
    return untilAborted(found, signal, () => cancelled(signal));
  }

  #requireRate(source: string | undefined): void {
    if (source !== undefined && !this.#unknown.admits(source)) throw tooManyUnknown();
  }

  async #ask<T>(
    source: string | undefined,
    ask: FirstLookup<T>["ask"],
    holdsPlace: boolean,
  ): Promise<T | undefined> {
    const gaveUp = new AbortController();
    let isHeld = holdsPlace;
    const leave = (): void => {
      if (isHeld) this.#leave(source);
      isHeld = false;
    };
    const timer = setTimeout(() => {
      leave();
      gaveUp.abort();
    }, LONGEST_LOOKUP_MS);
    timer.unref();
    try {
      const found = await ask(gaveUp.signal);
      if (found === undefined && source !== undefined) this.#unknown.count(source);
      return found;
    } finally {
      clearTimeout(timer);
      leave();
    }
  }

  /** @returns whether it has a place among those that run */
  async #enter(lookup: FirstLookup<unknown>): Promise<boolean> {
    const { source: name, signal } = lookup;
    if (signal?.aborted === true) throw cancelled(signal);
    const source = this.#sources.get(name) ?? { name, running: 0, waiting: new Set() };
    if (this.#isFree(source)) {
      this.#sources.set(name, source);
      this.#start(source);
      return true;
    }
    this.#makeRoom(source);
    this.#sources.set(name, source);
    return this.#wait(source, lookup);
  }

  #wait(source: Source, { id, signal }: FirstLookup<unknown>): Promise<boolean> {
    return new Promise((resolve, reject) => {
      const stop = (): void => {
        source.waiting.delete(waiter);
        this.#waiting -= 1;
        signal?.removeEventListener("abort", onAbort);
        this.#tidy(source);
      };
      const waiter: Waiter = {
        id,
        admit(holdsPlace) {
          stop();
          resolve(holdsPlace);
        },
        refuse(error) {
          stop();
          reject(error);
        },
      };
      const onAbort = (): void => waiter.refuse(cancelled(signal));
      signal?.addEventListener("abort", onAbort, { once: true });
      source.waiting.add(waiter);
      this.#waiting += 1;
    });
  }

  /** Finds a place for one more that waits: a free one, or that of the source with the most. */
  #makeRoom(source: Source): void {
    const { maxWaiting } = this.#limits;
    if (source.waiting.size >= shareOf(maxWaiting, source)) throw shareIsTaken();
    if (this.#waiting < maxWaiting) return;
    let most = source;
    for (const other of this.#sources.values()) {
      if (other.waiting.size > most.waiting.size + 1) most = other;
    }
    const newest = most === source ? undefined : [...most.waiting].at(-1);
    if (newest === undefined) throw allAreTaken();
    newest.refuse(allAreTaken());
  }

  #isFree(source: Source): boolean {
    const { maxRunning } = this.#limits;
    return this.#running < maxRunning && source.running < shareOf(maxRunning, source);
  }

  #start(source: Source): void {
    source.running += 1;
    this.#running += 1;
    // Behind the others: they have their turn first.
    this.#sources.delete(source.name);
    this.#sources.set(source.name, source);
  }

  #leave(name: string | undefined): void {
    const source = this.#sources.get(name);
    if (source === undefined) return;
    source.running -= 1;
    this.#running -= 1;
    this.#tidy(source);
    for (const next of this.#sources.values()) {
      const [waiter] = next.waiting;
      if (waiter === undefined || !this.#isFree(next)) continue;
      this.#start(next);
      waiter.admit(true);
      return;
    }
  }

  #tidy(source: Source): void {
    if (source.running === 0 && source.waiting.size === 0) this.#sources.delete(source.name);
  }
}

function shareOf(places: number, { name }: Source): number {
  return name === undefined ? places : Math.ceil(places / 2);
}

function tooManyUnknown(): TooManyLookups {
  const message = "too many agents and tasks were named that do not exist";
  return new TooManyLookups("rate_limited", message, { limit: "unknown_by_source" });
}

function shareIsTaken(): TooManyLookups {
  const message = "too many requests wait until their agent or task is looked up";
  return new TooManyLookups("rate_limited", message, { limit: "lookups_by_source" });
}

function allAreTaken(): TooManyLookups {
  return new TooManyLookups("server_error", "too many agents and tasks are looked up at once");
}

function cancelled(signal: AbortSignal | undefined): AgentAssertionError {
  const options = { cause: signal?.reason };
  return new AgentAssertionError("cancelled", "the lookup was cancelled", options);
}
