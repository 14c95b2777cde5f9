import type { Kysely } from "kysely";
import type { Database } from "./database.js";
import { inSpan } from "./in-span.js";
import type { StoreEvents } from "./store-events.js";
import { isStoreFailure } from "./store-failure.js";
import type { Transact } from "./transact.js";

/** The rows as a query sees them, inside or outside of a transaction. */
export type Rows = Kysely<Database>;

/** Which database a store is on. */
export type StoreKind = "sqlite" | "postgres";

// By the names of OpenTelemetry.
const SYSTEMS: Readonly<Record<StoreKind, { readonly "db.system.name": string }>> = {
  sqlite: { "db.system.name": "sqlite" },
  postgres: { "db.system.name": "postgresql" },
};

interface StoreParts {
  readonly description: string;
  readonly kind: StoreKind;
  readonly rows: Rows;
  readonly transact: Transact;
  readonly now: () => number;
  readonly events: StoreEvents;
}

/** An open database of an authority. Made by {@link openStore}; any number of processes may hold one on the same database. */
export class AuthorityStore {
  /** What it is, for people: the URL it was opened with, without a password. */
  readonly description: string;
  readonly kind: StoreKind;
  /** @internal */
  readonly rows: Rows;
  /** @internal */
  readonly now: () => number;
  /** @internal */
  readonly events: StoreEvents;
  readonly #transact: Transact;
  #failures = 0;
  #running = 0;
  #onIdle: (() => void) | undefined;
  #closed: Promise<void> | undefined;

  /** @internal */
  constructor({ description, kind, rows, transact, now, events }: StoreParts) {
    this.description = description;
    this.kind = kind;
    this.rows = rows;
    this.now = now;
    this.events = events;
    this.#transact = transact;
  }

  /** @internal */
  get isClosed(): boolean {
    return this.#closed !== undefined;
  }

  /**
   * Runs in one transaction, and resolves when it is on disk. Only the rows it is given may be used inside: the store's own would wait for
   * the transaction to end. It may be run again when it lost a race with another process, so it has no effect besides its rows and result.
   *
   * @internal
   */
  async transaction<T>(run: (rows: Rows) => Promise<T>): Promise<T> {
    const startedAt = performance.now();
    let outcome: "committed" | "failed" = "failed";
    this.#running += 1;
    try {
      const value = await inSpan("transaction", SYSTEMS[this.kind], () => this.#transact(run));
      outcome = "committed";
      return value;
    } catch (error) {
      if (isStoreFailure(error)) this.#failures += 1;
      throw error;
    } finally {
      this.#running -= 1;
      if (this.#running === 0) this.#onIdle?.();
      this.events.observer?.transactionEnded(outcome, performance.now() - startedAt);
    }
  }

  /**
   * How many transactions failed since the database could not be used.
   *
   * @internal
   */
  get failures(): number {
    return this.#failures;
  }

  /** Waits for the transactions that are running, and closes the database. Idempotent. */
  close(): Promise<void> {
    this.#closed ??= this.#end();
    return this.#closed;
  }

  async #end(): Promise<void> {
    if (this.#running > 0) {
      const idle = Promise.withResolvers<void>();
      this.#onIdle = idle.resolve;
      await idle.promise;
    }
    await this.rows.destroy();
  }

  /** Closes the database. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}
