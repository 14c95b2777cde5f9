import { LinkedMap } from "@countersign/agent-key";
import type { AgentAssertionError } from "../agent-assertion-error.js";
import type { AgentRecord, TaskRecord } from "./agent-directory.js";
import type { DirectoryEvent, DirectoryOutcome } from "./directory-event.js";
import { FairLru } from "./fair-lru.js";
import type { OutageBackoff } from "./outage-backoff.js";

/** How long an id is remembered as unknown: long enough against floods, short enough not to hold up a new agent or task. */
const NEGATIVE_MS = 5000;
const MAX_NEGATIVE_ENTRIES = 1000;
/** How long a record that did not serve is not asked for again, so that wrong signatures sent on purpose cost the authority little. */
const RECHECK_MS = 5000;
const MAX_RECHECKED = 10_000;

/** An answer of the authority, or what is left to do without one. */
export type Refreshed<T> =
  | {
      readonly kind: "record";
      readonly value: T;
      /** The account that the record belongs to. */
      readonly owner: string;
      readonly etag: string | undefined;
      readonly maxAgeMs: number | undefined;
    }
  | { readonly kind: "unchanged"; readonly maxAgeMs: number | undefined }
  | { readonly kind: "absent" }
  | { readonly kind: "failed"; readonly error: AgentAssertionError; readonly isOutage: boolean };

/** When a question to the authority was asked: what happened later its answer cannot know. */
export interface Asked {
  /** Epoch milliseconds. */
  readonly at: number;
  /** Higher than that of each earlier question. The time does not say which came first, because a clock may be set back. */
  readonly turn: number;
}

/** Makes the {@link Asked} of a question that is asked now. @param now - the clock, epoch milliseconds */
export function createTurns(now: () => number): () => Asked {
  let turn = 0;
  return () => {
    turn += 1;
    return { at: now(), turn };
  };
}

/** Asks the authority; `etag` is that of the record that is kept. */
export type Refresh<T> = (etag: string | undefined, asked: Asked) => Promise<Refreshed<T>>;

/** The bounds of a {@link RecordCache}. */
export interface RecordCacheOptions<T> {
  readonly about: DirectoryEvent["about"];
  readonly maxEntries: number;
  readonly revocationDelayMs: number;
  readonly staleIfErrorMs: number;
  readonly now: () => number;
  /** Shared by the caches of one authority. */
  readonly ask: () => Asked;
  /** Shared by the caches of one authority. */
  readonly backoff: OutageBackoff;
  /** Called with each lookup. Never throws. */
  readonly tell: (event: DirectoryEvent) => void;
  /** Whether a record that was asked for again can serve where the previous one did not. Default: never. */
  readonly isOther?: (before: T, after: T) => boolean;
}

interface Entry<T> {
  readonly value: T;
  readonly owner: string;
  readonly etag: string | undefined;
  readonly asked: Asked;
  readonly freshUntil: number;
}

/** What a lookup comes to. */
interface Found<T> {
  readonly outcome: DirectoryOutcome;
  readonly value?: T | undefined;
  readonly error?: AgentAssertionError;
}

interface Flight<T> {
  readonly asked: Asked;
  readonly result: Promise<Found<T>>;
}

/**
 * Keeps records of one kind, no longer than the revocation bounds allow.
 *
 * - A record is fresh for the revocation delay. If the authority is out of reach after that, the record serves for as long as stale records may,
 *   but never past its end of life.
 * - A record that was seen revoked stays revoked, and a record that was seen gone stays gone.
 * - Unknown ids are remembered apart, so that a flood of invented ids does not evict records that exist.
 * - No account evicts the records of an account that has fewer.
 * - There is one question at a time for each record.
 */
export class RecordCache<T extends AgentRecord | TaskRecord> {
  readonly #options: RecordCacheOptions<T>;
  readonly #entries: FairLru<Entry<T>>;
  /** When each absence was asked for. */
  readonly #absences = new LinkedMap<string, Asked>(MAX_NEGATIVE_ENTRIES);
  readonly #flights = new Map<string, Flight<T>>();
  /** When each record that did not serve was last asked for again. */
  readonly #rechecked = new LinkedMap<string, number>(MAX_RECHECKED);

  constructor(options: RecordCacheOptions<T>) {
    this.#options = options;
    this.#entries = new FairLru(options.maxEntries);
  }

  /** How many records are kept, those among them that may not be used any more. */
  get size(): number {
    return this.#entries.size;
  }

  /**
   * Returns the record, kept or asked for; `undefined` if there is none.
   *
   * @param insteadOf - a record that was given before and does not serve. It is asked for again if it is still the one that is kept
   */
  async get(name: string, refresh: Refresh<T>, insteadOf?: T): Promise<T | undefined> {
    const { about, now, tell } = this.#options;
    const since = now();
    const recheck = this.#findRecheck(name, insteadOf, since);
    const kept = recheck === undefined ? this.#findKept(name, since) : undefined;
    const running =
      recheck === "ask" || kept !== undefined ? undefined : (recheck ?? this.#running(name, since));
    const asked = kept === undefined && running === undefined;
    const answered = kept ?? (await (running ?? this.#startAsking(name, refresh)));
    // If the authority could not answer the recheck, the kept record is as good as before.
    const found = recheck === undefined ? answered : this.#orKept(name, answered);
    // Only the owner of an agent can change its record. The record did change, so the next recheck need not wait.
    const isOther = this.#options.isOther ?? (() => false);
    if (insteadOf && found.value && isOther(insteadOf, found.value)) this.#rechecked.delete(name);
    const { outcome, value, error } = found;
    const durationMs = Math.max(0, now() - since);
    tell({ about, outcome, asked, durationMs, ...(error && { code: error.code }) });
    if (outcome === "error") throw error;
    return value;
  }

  /** Takes a record that came with another answer, unless a newer one is kept. */
  put(name: string, value: T, owner: string, asked: Asked): void {
    this.#store(name, value, owner, { etag: undefined, maxAgeMs: undefined }, asked);
  }

  /** Forgets a record that is gone, unless a newer one is kept. */
  drop(name: string, asked: Asked): void {
    if (this.#isOlder(name, asked)) return;
    this.#overtake(name, asked);
    this.#entries.delete(name);
    this.#absences.set(name, asked);
  }

  // The answer that can be given without asking the authority, and without waiting for it.
  #findKept(name: string, now: number): Found<T> | undefined {
    const entry = this.#entries.get(name);
    if (entry !== undefined && isWithin(now, entry.asked.at, entry.freshUntil)) {
      return { outcome: "hit", value: entry.value };
    }
    const absentSince = this.#absences.get(name)?.at;
    if (absentSince !== undefined && isWithin(now, absentSince, absentSince + NEGATIVE_MS)) {
      return { outcome: "negative" };
    }
    const { backoff } = this.#options;
    if (!this.#mayServeStale(entry, true, now)) return undefined;
    // A question that is under way, for this record or as the one that is let through, answers soon enough for the next lookup.
    if (this.#running(name, now) === undefined && backoff.admits(now)) return undefined;
    return { outcome: "stale", value: entry?.value };
  }

  // Whether a record that does not serve is asked for again ("ask"), or the recheck that is already running. `undefined`: the kept record has to
  // do, because it is already another one, or was rechecked moments ago, or the authority is out of reach.
  #findRecheck(
    name: string,
    insteadOf: T | undefined,
    now: number,
  ): "ask" | Promise<Found<T>> | undefined {
    if (insteadOf === undefined || this.#entries.peek(name)?.value !== insteadOf) return undefined;
    const last = this.#rechecked.get(name);
    if (last !== undefined && isWithin(now, last, last + RECHECK_MS)) {
      const flight = this.#flights.get(name);
      return flight !== undefined && flight.asked.at >= last ? flight.result : undefined;
    }
    if (!this.#options.backoff.admits(now)) return undefined;
    this.#rechecked.set(name, now);
    return "ask";
  }

  #orKept(name: string, found: Found<T>): Found<T> {
    if (found.outcome !== "error") return found;
    const kept = this.#findKept(name, this.#options.now());
    return kept === undefined ? found : { ...found, outcome: "stale", value: kept.value };
  }

  #running(name: string, now: number): Promise<Found<T>> | undefined {
    const flight = this.#flights.get(name);
    // An answer to a question older than the delay could hide a revocation for longer than it.
    const isRecent = flight && now - flight.asked.at <= this.#options.revocationDelayMs;
    return isRecent ? flight.result : undefined;
  }

  async #startAsking(name: string, refresh: Refresh<T>): Promise<Found<T>> {
    const asked = this.#options.ask();
    const flight = { asked, result: this.#ask(name, refresh, asked) };
    this.#flights.set(name, flight);
    try {
      return await flight.result;
    } finally {
      if (this.#flights.get(name) === flight) this.#flights.delete(name);
    }
  }

  async #ask(name: string, refresh: Refresh<T>, asked: Asked): Promise<Found<T>> {
    const before = this.#entries.peek(name);
    const reply = await refresh(before?.etag, asked);
    this.#noteOutage(reply);
    if (reply.kind === "failed") return this.#withoutAnswer(name, reply);
    const outcome = reply.kind === "unchanged" ? "revalidated" : "miss";
    if (this.#flights.get(name)?.asked !== asked) {
      // A newer answer came first, and may have been evicted since. This one is given only to the lookups that waited for it, and not kept.
      const isTold = reply.kind === "record" && this.#absences.get(name) === undefined;
      const value = isTold ? reply.value : undefined;
      return { outcome, value: this.#entries.peek(name)?.value ?? value };
    }
    if (reply.kind === "absent") {
      this.drop(name, asked);
    } else if (reply.kind === "record") {
      this.#store(name, reply.value, reply.owner, reply, asked);
    } else if (before !== undefined) {
      const terms = { etag: before.etag, maxAgeMs: reply.maxAgeMs };
      this.#store(name, before.value, before.owner, terms, asked);
    }
    return { outcome, value: this.#entries.peek(name)?.value };
  }

  // Only what makes askers wait counts: a 5xx is an answer, and may be about one record alone.
  #noteOutage(reply: Refreshed<T>): void {
    const { backoff, now } = this.#options;
    const isSilent = reply.kind === "failed" && /^(?:timeout|unreachable)$/.test(reply.error.code);
    if (isSilent) backoff.failed(now());
    else backoff.answered();
  }

  #store(
    name: string,
    value: T,
    owner: string,
    terms: { readonly etag: string | undefined; readonly maxAgeMs: number | undefined },
    asked: Asked,
  ): void {
    if (this.#isOlder(name, asked)) return;
    this.#overtake(name, asked);
    const { revocationDelayMs } = this.#options;
    const freshMs = Math.min(revocationDelayMs, terms.maxAgeMs ?? revocationDelayMs);
    const { etag } = terms;
    this.#absences.delete(name);
    this.#entries.set(name, owner, { value, owner, etag, asked, freshUntil: asked.at + freshMs });
  }

  // Answers may arrive in another order than their questions were asked.
  #isOlder(name: string, asked: Asked): boolean {
    const kept = this.#entries.peek(name)?.asked ?? this.#absences.get(name);
    return kept !== undefined && kept.turn > asked.turn;
  }

  // The answer to an older question that is still under way is not kept, even where what is kept now is pushed out before it comes.
  #overtake(name: string, asked: Asked): void {
    const flight = this.#flights.get(name);
    if (flight !== undefined && flight.asked.turn < asked.turn) this.#flights.delete(name);
  }

  #withoutAnswer(name: string, failure: Extract<Refreshed<T>, { kind: "failed" }>): Found<T> {
    const { error, isOutage } = failure;
    const entry = this.#entries.peek(name);
    return this.#mayServeStale(entry, isOutage, this.#options.now())
      ? { outcome: "stale", value: entry?.value, error }
      : { outcome: "error", error };
  }

  #mayServeStale(entry: Entry<T> | undefined, isOutage: boolean, now: number): boolean {
    if (entry === undefined) return false;
    const { value, asked } = entry;
    // Being revoked is final: the kept record is enough, and cannot turn into an acceptance.
    if (value.state === "revoked") return true;
    const isAlive = value.expiresAt === undefined || now < value.expiresAt;
    return isOutage && isAlive && isWithin(now, asked.at, asked.at + this.#options.staleIfErrorMs);
  }
}

// From `start` up to, not including, `end`. A clock that was set back is before `start`: nothing is kept longer by it.
function isWithin(now: number, start: number, end: number): boolean {
  return start <= now && now < end;
}
