import type { Kysely } from "kysely";
import type { Database } from "./database.js";
import { isLostRace, isRowInTheWay, lostRace } from "./postgres-error.js";

type Rows = Kysely<Database>;

/** Runs something in one transaction and resolves once that is on disk. */
export type Transact = <T>(run: (rows: Rows) => Promise<T>) => Promise<T>;

const MAX_ATTEMPTS = 8;
// The longest wait for one lock: the client has hung up long before eight such waits are over.
const MAX_MS = 5_000;

/**
 * Runs transactions of PostgreSQL, each with a connection of its own. A transaction that lost a race (to a unique index, or in a deadlock) is
 * run again, and then sees the change of the winner. A transaction that lost its connection is not run again, because it may have been
 * committed. No attempt begins later than five seconds after the first.
 *
 * @param now - milliseconds of a clock that only goes forward
 */
export function transactAlone(rows: Rows, now: () => number = () => performance.now()): Transact {
  return async (run) => {
    const lastAt = now() + MAX_MS;
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await rows.transaction().setIsolationLevel("read committed").execute(run);
      } catch (error) {
        if (!isLostRace(error)) throw error;
        // A row that is still there for the last attempt is a defect, and comes back as it is.
        if (attempt >= MAX_ATTEMPTS && isRowInTheWay(error)) throw error;
        if (attempt >= MAX_ATTEMPTS || now() >= lastAt) throw lostRace(error);
      }
    }
  };
}
