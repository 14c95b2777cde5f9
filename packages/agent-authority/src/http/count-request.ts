import type { IncomingMessage } from "node:http";
import {
  addressSubject,
  agentSubject,
  type LimitSubject,
  refusalsOf,
  userSubject,
} from "../limits/limit-subject.js";
import { quotaHeaders } from "../limits/quota.js";
import { commitRefusals } from "../registry/commit-refusals.js";
import type { Rows } from "../store/authority-store.js";
import type { AuthorityContext } from "./authority-context.js";
import { type RequestState, stateOf } from "./request-state.js";

/**
 * Runs a registration in one transaction, as {@link commitRefusals} does, and counts it by what its proof showed, not by its address: clients
 * that share an address take nothing from each other.
 *
 * The counter comes last. It adds no wait, because the transaction has already locked the row of that user or agent.
 *
 * @throws {RateLimited} if a limit is reached; the transaction is then rolled back
 */
export async function commitCounted<T>(
  { store, limiter, knownCallers }: AuthorityContext,
  request: IncomingMessage,
  subject: LimitSubject,
  run: (rows: Rows) => Promise<T>,
): Promise<T> {
  const state = stateOf(request);
  limiter.check(subject);
  limiter.check(refusalsOf(subject));
  // Only now: a known caller drives out another, so each user and agent makes few of them.
  knownCallers.remember(state.claims);
  const { value, quota } = await commitRefusals(store, async (rows) => {
    const result = await run(rows);
    return { value: result, quota: await limiter.count(rows, subject) };
  });
  state.quotas = quota === undefined ? [] : [quota];
  return value;
}

/**
 * Throws `rate_limited` if the refusals of the address are used up, this process has looked at as many credentials from it since, and does not
 * know the caller. Reads neither the body nor the database.
 */
export function checkAddress(
  { limiter, knownCallers }: AuthorityContext,
  request: IncomingMessage,
): void {
  const { origin, claims } = stateOf(request);
  const address = addressSubject(origin.address);
  if (!limiter.isExhausted(refusalsOf(address)) || knownCallers.isKnown(claims)) return;
  limiter.countHere(address);
}

/** What a refusal of the request is counted by: by user or agent once the caller has proved that it is one, until then by address. */
export function refusalSubject({ origin, asker }: RequestState): LimitSubject {
  const { account_id, user_id, agent_runtime_id } = asker?.subject ?? {};
  if (agent_runtime_id !== undefined) return refusalsOf(agentSubject(agent_runtime_id));
  if (account_id !== undefined && user_id !== undefined) {
    return refusalsOf(userSubject(account_id, user_id));
  }
  return refusalsOf(addressSubject(origin.address));
}

/**
 * Counts a refused request, in the transaction that records the refusal, as its last statement.
 *
 * @throws {RateLimited} if the limit is used up. It replaces the answer, so that the client does not learn how wrong its guess was
 */
export async function countRefusal(
  rows: Rows,
  { limiter }: AuthorityContext,
  request: IncomingMessage,
  subject: LimitSubject,
): Promise<void> {
  const quota = await limiter.count(rows, subject);
  if (quota !== undefined) stateOf(request).quotas = [quota];
}

/** The header fields that show the quotas that a request was counted by. */
export function countedHeaders(request: IncomingMessage): Record<string, string> {
  return quotaHeaders(stateOf(request).quotas);
}
