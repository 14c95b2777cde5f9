import { LRUCache } from "lru-cache";
import type { AgentAssertionError } from "../agent-assertion-error.js";
import type { AgentRecord, TaskRecord } from "./agent-directory.js";

/** How long what is not there is remembered: long enough against floods, short enough not to hold up who is new. */
const NEGATIVE_MS = 5000;
const MAX_NEGATIVE_ENTRIES = 1000;

/** An answer of the authority, or what is left to do without one. */
export type Refreshed<T> =
  | {
      readonly kind: "record";
      readonly value: T;
      readonly etag: string | undefined;
      readonly maxAgeMs: number | undefined;
    }
  | { readonly kind: "unchanged"; readonly maxAgeMs: number | undefined }
  | { readonly kind: "absent" }
  | { readonly kind: "failed"; readonly error: AgentAssertionError; readonly isOutage: boolean };

/** Asks the authority; `etag` is that of the record that is kept. */
export type Refresh<T> = (etag: string | undefined, askedAt: number) => Promise<Refreshed<T>>;

/** The bounds of a {@link RecordCache}. */
export interface RecordCacheOptions {
  readonly maxEntries: number;
  readonly revocationDelayMs: number;
  readonly staleIfErrorMs: number;
  readonly now: () => number;
}

interface Entry<T> {
  readonly value: T;
  readonly etag: string | undefined;
  /** When the question was asked that it answers: what happened later it cannot know. */
  readonly askedAt: number;
  readonly freshUntil: number;
}

interface Flight<T> {
  readonly askedAt: number;
  readonly result: Promise<T | undefined>;
}

/**
 * Records of one kind, kept no longer than the revocation bounds allow: fresh for the delay; then, while the authority is out of reach, for
 * as long as stale records may serve, but never past their end of life. What was seen revoked stays revoked, and what was seen gone is gone.
 * What is absent is remembered apart, so that a flood of invented ids does not push out those that exist. One question at a time for
 * each record.
 */
export class RecordCache<T extends AgentRecord | TaskRecord> {
  readonly #options: RecordCacheOptions;
  readonly #entries: LRUCache<string, Entry<T>>;
  /** When each absence was asked for. */
  readonly #absences = new LRUCache<string, number>({ max: MAX_NEGATIVE_ENTRIES });
  readonly #flights = new Map<string, Flight<T>>();

  constructor(options: RecordCacheOptions) {
    this.#options = options;
    this.#entries = new LRUCache({ max: options.maxEntries });
  }

  /** The record, from here or asked for; `undefined` when there is none. */
  async get(name: string, refresh: Refresh<T>): Promise<T | undefined> {
    const now = this.#options.now();
    const entry = this.#entries.get(name);
    if (entry !== undefined && isWithin(now, entry.askedAt, entry.freshUntil)) return entry.value;
    const absentSince = this.#absences.get(name);
    if (absentSince !== undefined && isWithin(now, absentSince, absentSince + NEGATIVE_MS)) {
      return undefined;
    }
    const running = this.#flights.get(name);
    // An answer to a question older than the delay could hide a revocation for longer than it.
    if (running !== undefined && now - running.askedAt <= this.#options.revocationDelayMs) {
      return running.result;
    }
    const result = this.#ask(name, refresh, now);
    const flight = { askedAt: now, result };
    this.#flights.set(name, flight);
    try {
      return await result;
    } finally {
      if (this.#flights.get(name) === flight) this.#flights.delete(name);
    }
  }

  /** Takes a record that came with another answer, unless a newer one is kept. */
  put(name: string, value: T, askedAt: number): void {
    this.#store(name, value, { etag: undefined, maxAgeMs: undefined }, askedAt);
  }

  /** Forgets a record that is gone, unless a newer one is kept. */
  drop(name: string, askedAt: number): void {
    if (this.#isOlder(name, askedAt)) return;
    this.#entries.delete(name);
    this.#absences.set(name, askedAt);
  }

  async #ask(name: string, refresh: Refresh<T>, askedAt: number): Promise<T | undefined> {
    const before = this.#entries.peek(name);
    const reply = await refresh(before?.etag, askedAt);
    if (reply.kind === "failed") return this.#serveStale(name, reply);
    if (reply.kind === "absent") {
      this.drop(name, askedAt);
    } else if (reply.kind === "record") {
      this.#store(name, reply.value, reply, askedAt);
    } else if (before !== undefined) {
      this.#store(name, before.value, { etag: before.etag, maxAgeMs: reply.maxAgeMs }, askedAt);
    }
    // Another answer may have been newer than this one.
    return this.#entries.peek(name)?.value;
  }

  #store(
    name: string,
    value: T,
    terms: { readonly etag: string | undefined; readonly maxAgeMs: number | undefined },
    askedAt: number,
  ): void {
    if (this.#isOlder(name, askedAt)) return;
    const { revocationDelayMs } = this.#options;
    const freshMs = Math.min(revocationDelayMs, terms.maxAgeMs ?? revocationDelayMs);
    this.#absences.delete(name);
    this.#entries.set(name, { value, etag: terms.etag, askedAt, freshUntil: askedAt + freshMs });
  }

  // Answers may arrive in another order than their questions were asked.
  #isOlder(name: string, askedAt: number): boolean {
    const kept = this.#entries.peek(name)?.askedAt ?? this.#absences.peek(name);
    return kept !== undefined && kept > askedAt;
  }

  #serveStale(
    name: string,
    failure: { readonly error: AgentAssertionError; readonly isOutage: boolean },
  ): T {
    const entry = this.#entries.peek(name);
    if (entry === undefined) throw failure.error;
    const { value, askedAt } = entry;
    // Being revoked is final; it is told without an authority, and cannot turn into an acceptance.
    if (value.state === "revoked") return value;
    const now = this.#options.now();
    const isAlive = value.expiresAt === undefined || now < value.expiresAt;
    const isAllowed = isWithin(now, askedAt, askedAt + this.#options.staleIfErrorMs);
    if (failure.isOutage && isAlive && isAllowed) return value;
    throw failure.error;
  }
}

// From `start` up to, not including, `end`. A clock that was set back is before `start`: nothing is kept longer by it.
function isWithin(now: number, start: number, end: number): boolean {
  return start <= now && now < end;
}
