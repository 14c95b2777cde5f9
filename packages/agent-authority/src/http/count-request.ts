import type { IncomingMessage } from "node:http";
import { addressSubject, type LimitSubject } from "../limits/limit-subject.js";
import { quotaHeaders } from "../limits/quota.js";
import { commitRefusals } from "../registry/commit-refusals.js";
import type { Rows } from "../store/authority-store.js";
import type { AuthorityContext } from "./authority-context.js";
import { stateOf } from "./request-state.js";

/**
 * Runs a registration in one transaction, as {@link commitRefusals} does, and counts it: by what its proof showed, and by its address.
 *
 * The counters come last. The counter of a user or an agent adds no wait, because the transaction has already locked the row of that user or
 * agent. The counter of an address is shared by all clients at that address, and PostgreSQL would keep it locked until the commit is on disk.
 * So on PostgreSQL the address is counted before the transaction begins, by a statement of its own. Its table is unlogged, so that statement
 * does not wait for the disk. SQLite has only one writer, and a separate statement would need a second commit.
 *
 * @throws {RateLimited} if a limit is reached; the transaction is then rolled back
 */
export async function commitCounted<T>(
  { store, limiter }: AuthorityContext,
  request: IncomingMessage,
  subject: LimitSubject,
  run: (rows: Rows) => Promise<T>,
): Promise<T> {
  limiter.check(subject);
  const state = stateOf(request);
  const address = addressSubject(state.origin.address);
  const isEarly = store.kind === "postgres";
  const early = isEarly ? await limiter.count(store.rows, address) : undefined;
  state.quotas = early === undefined ? [] : [early];
  state.isAddressCounted = isEarly;
  const { value, quotas } = await commitRefusals(store, async (rows) => {
    const result = await run(rows);
    const bySubject = await limiter.count(rows, subject);
    const byAddress = isEarly ? early : await limiter.count(rows, address);
    return { value: result, quotas: [bySubject, byAddress].filter((quota) => quota !== undefined) };
  });
  state.quotas = quotas;
  state.isAddressCounted = true;
  return value;
}

/** Throws `rate_limited` if the address is known to be beyond its limit. Reads neither the request nor the database. */
export function checkAddress({ limiter }: AuthorityContext, request: IncomingMessage): void {
  limiter.check(addressSubject(stateOf(request).origin.address));
}

/**
 * Throws `rate_limited` if the address is known to be beyond its limit and the request was not counted by it yet. Does not read the database,
 * so that a flood from one address does not keep it busy.
 */
export function checkRefusal({ limiter }: AuthorityContext, request: IncomingMessage): void {
  const { origin, isAddressCounted } = stateOf(request);
  if (!isAddressCounted) limiter.check(addressSubject(origin.address));
}

/**
 * Counts a refused request by its address, in the transaction that records the refusal, as its last statement.
 *
 * @throws {RateLimited} if the limit is used up. It replaces the answer, so that the client does not learn whether its guess was right
 */
export async function countRefusal(
  rows: Rows,
  { limiter }: AuthorityContext,
  request: IncomingMessage,
): Promise<void> {
  const state = stateOf(request);
  if (state.isAddressCounted) return;
  const quota = await limiter.count(rows, addressSubject(state.origin.address));
  // Not that it was counted: the transaction may be run again.
  if (quota !== undefined) state.quotas = [quota];
}

/** The header fields that show the quotas that a request was counted by. */
export function countedHeaders(request: IncomingMessage): Record<string, string> {
  return quotaHeaders(stateOf(request).quotas);
}
