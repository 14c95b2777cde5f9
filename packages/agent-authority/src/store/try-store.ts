import { randomBytes, randomUUID } from "node:crypto";
import { sql } from "kysely";
import type { AuthorityStore } from "./authority-store.js";
import type { Database } from "./database.js";

const KEPT_MS = 1_000;
// Together longer than a page, so that they take pages of their own: a small row may fit where no registration does. No longer each than an index of
// PostgreSQL takes.
const ROWS = 4;
const ROW_BYTES = 1_536;

const TABLES: Readonly<Record<keyof Database, true>> = {
  access_tokens: true,
  biscuits: true,
  biscuit_uses: true,
  agents: true,
  agent_claims: true,
  tasks: true,
  agent_uses: true,
  task_uses: true,
  audit_events: true,
  spent_nonces: true,
  accounts: true,
  users: true,
  former_keys: true,
  signing_keys: true,
  rate_limits: true,
};
// Reads no row, and fails where a table is missing or may not be read.
const EVERY_TABLE = sql.join(
  Object.keys(TABLES).map((table) => sql`exists (select 1 from ${sql.table(table)} where false)`),
);
const READ = sql`select ${EVERY_TABLE}`;
// Fails at once on a server that was the standby, or has become one.
const READ_WRITABLE = sql`select 1 / (current_setting('transaction_read_only') = 'off')::integer, ${EVERY_TABLE}`;

interface Success {
  readonly at: number;
  readonly failures: number;
}

const successes = new WeakMap<AuthorityStore, Success>();

/**
 * Reads the tables of a database and writes to it. A disk that is full, a standby and a role without rights answer questions as ever.
 *
 * A success counts for a second, unless a transaction has failed since: probes are not limited, and each write waits for the disk.
 *
 * @throws {AgentAuthorityError} as a transaction does
 */
export async function tryStore(store: AuthorityStore): Promise<void> {
  await (store.kind === "sqlite" ? READ : READ_WRITABLE).execute(store.rows);
  const { failures } = store;
  const last = successes.get(store);
  if (last !== undefined && last.failures === failures && performance.now() - last.at < KEPT_MS) {
    return;
  }
  const name = `probe:${randomUUID()}`;
  const room = Array.from({ length: ROWS }, (_, index) => ({
    name,
    window_start: `${index}`,
    count: 0,
    // Random, since PostgreSQL stores what repeats itself in little room.
    expires_at: randomBytes(ROW_BYTES).toString("base64url"),
  }));
  await store.transaction(async (rows) => {
    await rows.insertInto("rate_limits").values(room).execute();
    await rows.deleteFrom("rate_limits").where("name", "=", name).execute();
  });
  successes.set(store, { at: performance.now(), failures });
}
