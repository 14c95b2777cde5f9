import type { Kysely } from "kysely";
import type { Database } from "./database.js";
import { isLostRace } from "./postgres-error.js";

type Rows = Kysely<Database>;

/** Runs something in one transaction and resolves once that is on disk. */
export type Transact = <T>(run: (rows: Rows) => Promise<T>) => Promise<T>;

const MAX_ATTEMPTS = 8;

/**
 * Transactions of PostgreSQL, each with a connection of its own. One that lost a race (to a unique index, or a dead-lock) is run again and
 * sees what it lost to; one whose connection was lost is not, since nobody knows whether it was committed.
 */
export function transactAlone(rows: Rows): Transact {
  return async (run) => {
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await rows.transaction().setIsolationLevel("read committed").execute(run);
      } catch (error) {
        if (!isLostRace(error) || attempt >= MAX_ATTEMPTS) throw error;
      }
    }
  };
}
