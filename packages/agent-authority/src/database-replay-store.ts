import { createHash } from "node:crypto";
import type { NonceEntry, ReplayStore } from "@countersign/agent-assertion";
import { formatTimestamp } from "@countersign/agent-key";
import { checkOption, STORE } from "./option-checks.js";
import type { AuthorityStore, Rows } from "./store/authority-store.js";
import { prepareQuery } from "./store/prepared-query.js";

const SWEEP_EVERY_MS = 1_000;
const SWEEP_ROWS = 1_000;
// Processes that share the database need not agree on the time: nothing is forgotten while a clock this far behind may still accept it.
const KEPT_AFTER_END_MS = 600_000;

// Gives a row where it inserted one.
const insertNonce = prepareQuery((rows, value: { hash: string; endsAt: string }) =>
  rows
    .insertInto("spent_nonces")
    .values({ nonce_hash: value.hash, expires_at: value.endsAt })
    .onConflict((conflict) => conflict.column("nonce_hash").doNothing())
    .returning("expires_at"),
);

/**
 * Remembers spent nonces in the database of an authority: for verifiers that are several processes, and across restarts. The store stays
 * the caller's to close.
 *
 * A nonce is spent by inserting its row, so of any number of processes exactly one spends it. Rows are removed ten minutes after their end,
 * a thousand at most at a time; one that may still be presented is never removed. `spend` rejects when the database cannot be written
 * (`store_locked`, `store_denied`), and the verifier then refuses the request with 503.
 *
 * @throws {AgentAuthorityError} `config_invalid` if `store` is not an open store
 * @see docs/protocol.md §7
 */
export function databaseReplayStore(store: AuthorityStore): ReplayStore {
  checkOption("store", store, STORE);
  let sweepAt = Number.NEGATIVE_INFINITY;

  async function sweep(rows: Rows, at: number): Promise<void> {
    if (at < sweepAt && sweepAt - at <= SWEEP_EVERY_MS) return;
    sweepAt = at + SWEEP_EVERY_MS;
    const ended = rows
      .selectFrom("spent_nonces")
      .select("nonce_hash")
      .where("expires_at", "<", formatTimestamp(at - KEPT_AFTER_END_MS))
      .orderBy("expires_at")
      .limit(SWEEP_ROWS);
    const { numDeletedRows } = await rows
      .deleteFrom("spent_nonces")
      .where("nonce_hash", "in", ended)
      .executeTakeFirstOrThrow();
    // There may be more of them: the next call goes on.
    if (numDeletedRows >= BigInt(SWEEP_ROWS)) sweepAt = at;
  }

  return {
    async spend(entry) {
      const at = store.now();
      if (!(at <= entry.expiresAt)) return false;
      return store.transaction(async (rows) => {
        await sweep(rows, at);
        const spent = await insertNonce(rows, { hash: hashOf(entry), endsAt: endOf(entry) });
        return spent.length === 1;
      });
    },
  };
}

// Of one length however long the nonce is; the array keeps one name from being read as another.
function hashOf({ authority, agentRuntimeId, nonce }: NonceEntry): string {
  const text = JSON.stringify([authority, agentRuntimeId, nonce]);
  return createHash("sha256").update(text).digest("hex");
}

// Rows hold whole seconds: the next one, so that nothing ends early.
function endOf({ expiresAt }: NonceEntry): string {
  return formatTimestamp(Math.ceil(expiresAt / 1_000) * 1_000);
}
