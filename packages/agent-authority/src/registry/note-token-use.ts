import { formatTimestamp } from "@countersign/agent-key";
import type { AuthorityStore } from "../store/authority-store.js";
import type { AccessTokenRow } from "../store/database.js";
import { prepareQuery } from "../store/prepared-query.js";
import { writeLate } from "./late-writes.js";
import type { Instant } from "./times.js";

// A use is written if the one that is known is older than this.
const STEP_MS = 5 * 60_000;

interface Use {
  readonly id: string;
  readonly at: string;
  /** One that is known and not older than this is enough. */
  readonly enough: string;
}

const setLastUse = prepareQuery((rows, use: Use) =>
  rows
    .updateTable("access_tokens")
    .set({ last_used_at: use.at })
    .where("access_token_id", "=", use.id)
    .where((eb) => eb.or([eb("last_used_at", "is", null), eb("last_used_at", "<", use.enough)])),
);

/** Notes that a live token was used. It is written after the answer, at most once in five minutes, and not while the database is busy. */
export function noteTokenUse(
  store: AuthorityStore,
  { access_token_id: id, last_used_at }: Pick<AccessTokenRow, "access_token_id" | "last_used_at">,
  instant: Instant,
): void {
  const enough = formatTimestamp(instant.epochMs - STEP_MS);
  if (last_used_at !== null && last_used_at >= enough) return;
  const use = { id, at: instant.text, enough };
  writeLate(
    store,
    { name: `token:${id}`, write: (rows) => setLastUse(rows, use), pauseMs: STEP_MS },
    instant.epochMs,
  );
}
