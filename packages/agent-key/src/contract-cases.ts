import { untilAborted } from "./until-aborted.js";

// Far more than any store takes, on any machine.
const CASE_LIMIT_MS = 30_000;

/** One case of a store's contract. Give `name` and `run` to any test runner: `test(name, run)`. */
export interface ContractCase {
  /** A rule of the contract, as a sentence about the store. */
  readonly name: string;
  /**
   * Runs the case on a place of its own. Rejects with an `AssertionError` of `node:assert` if the store breaks the rule. Rejects with an
   * `Error` if the case has not settled within 30 seconds, for instance because the store waits for a lock that is never released.
   */
  readonly run: () => Promise<void>;
}

/** Where the stores of one case keep what they are given: a new folder, a new table, a new name. */
export interface ContractPlace<Store> {
  /**
   * Opens a store of this place, as another process or a restart does: what one of them has kept, the others find. A store that keeps all in
   * memory gives the same object each time.
   */
  open(): Store | Promise<Store>;
  /** Called once, when the case has ended: closes and removes what was made. */
  close?(): void | PromiseLike<void>;
}

/** The rules of a contract by name, each with what it does on its place. It rejects if the rule is broken. */
export type ContractRules<Place> = Readonly<Record<string, (place: Place) => Promise<void>>>;

/** Returns the cases of rules: each starts a place of its own, and closes it whether it passes or fails. */
export function contractCases<Place extends Pick<ContractPlace<unknown>, "close">>(
  rules: ContractRules<Place>,
  start: () => Place | Promise<Place>,
): readonly ContractCase[] {
  return Object.entries(rules).map(([name, check]) => ({
    name,
    async run() {
      const place = await start();
      const limit = new AbortController();
      const timer = setTimeout(() => {
        limit.abort(
          new Error(`the store has not settled within ${CASE_LIMIT_MS / 1000} s: ${name}`),
        );
      }, CASE_LIMIT_MS);
      const close = async () => await untilAborted((async () => place.close?.())(), limit.signal);
      try {
        await untilAborted(check(place), limit.signal).catch(async (broken: unknown) => {
          // What the place says of its end is of no interest then.
          await close().catch(() => {});
          throw broken;
        });
        await close();
      } finally {
        clearTimeout(timer);
      }
    },
  }));
}
