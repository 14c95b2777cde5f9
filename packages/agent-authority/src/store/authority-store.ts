import type { Kysely, Transaction } from "kysely";
import type { Database } from "./database.js";

/** The rows as a query sees them, inside or outside of a transaction. */
export type Rows = Kysely<Database>;

/** An open database of an authority. Made by {@link openStore}; several processes may hold one on the same file. */
export class AuthorityStore {
  /** What it is, for people: the URL it was opened with. */
  readonly description: string;
  /** @internal */
  readonly rows: Rows;
  /** @internal */
  readonly now: () => number;

  /** @internal */
  constructor(description: string, rows: Rows, now: () => number) {
    this.description = description;
    this.rows = rows;
    this.now = now;
  }

  /**
   * Runs in one transaction that holds the write lock from its start. Only the rows it is given may be used inside: the store's own
   * would wait for the transaction to end.
   *
   * @internal
   */
  transaction<T>(run: (rows: Transaction<Database>) => Promise<T>): Promise<T> {
    return this.rows.transaction().execute(run);
  }

  /** Closes the database. Idempotent. */
  async close(): Promise<void> {
    await this.rows.destroy();
  }

  /** Closes the database. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}
