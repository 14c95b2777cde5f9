import { setImmediate as turn } from "node:timers/promises";
import { type Code, numberIn } from "@countersign/agent-key";
import { type Selectable, type SelectQueryBuilder, sql } from "kysely";
import { AgentAuthorityError } from "../agent-authority-error.js";
import { checkLimit } from "../operations/read-pages.js";
import { checkRequested } from "../option-checks.js";
import { type AuditQuery, DEFAULT_PAGE } from "../schema/admin-requests.js";
import type { AuditEventEntry } from "../schema/registry-entries.js";
import type { AuthorityStore } from "../store/authority-store.js";
import type { Database } from "../store/database.js";
import { withoutNulls } from "./without-nulls.js";

// A statement looks at so many events at most: what is asked for may be rare, and on SQLite everybody waits for each statement.
const PORTION = 20_000;

export async function listAuditEvents(
  store: AuthorityStore,
  query: AuditQuery,
): Promise<AuditEventEntry[]> {
  const { after, last } = query;
  checkRequested("after", after, numberIn(0, Number.MAX_SAFE_INTEGER));
  if (last !== undefined && query.limit !== undefined) {
    throw invalid("give `limit` for the oldest, or `last` for the newest");
  }
  const limit = checkLimit(last ?? query.limit ?? DEFAULT_PAGE);
  const end = await findEnd(store);
  const found: AuditEventRow[] = [];
  for (const [from, to] of portions(after, end, last !== undefined)) {
    const rows = await matching(store.rows.selectFrom("audit_events").selectAll(), query)
      .where("sequence", ">", from)
      .where("sequence", "<=", to)
      .orderBy("sequence", last === undefined ? "asc" : "desc")
      .limit(limit - found.length)
      .execute();
    found.push(...rows);
    if (found.length === limit) break;
    // The database may work in this very thread: others get their turn.
    await turn();
  }
  if (last !== undefined) found.reverse();
  return found.map(toEntry);
}

function* portions(after: number, end: number, isFromEnd: boolean): Generator<[number, number]> {
  const count = Math.ceil((end - after) / PORTION);
  for (let index = 0; index < count; index += 1) {
    const from = after + (isFromEnd ? count - 1 - index : index) * PORTION;
    yield [from, Math.min(from + PORTION, end)];
  }
}

type AuditEventRow = Selectable<Database["audit_events"]>;

function toEntry(row: AuditEventRow): AuditEventEntry {
  return withoutNulls({
    sequence: Number(row.sequence),
    at: row.at,
    // Only this package writes these two, and only such values.
    action: row.action as AuditEventEntry["action"],
    code: row.code as Code | null,
    actor: row.actor,
    address: row.address,
    request_id: row.request_id,
    account_id: row.account_id,
    user_id: row.user_id,
    agent_runtime_id: row.agent_runtime_id,
    claimed_agent_runtime_id: row.claimed_agent_runtime_id,
    task_id: row.task_id,
    access_token_id: row.access_token_id,
  });
}

type Events<Row> = SelectQueryBuilder<Database, "audit_events", Row>;

function matching<Row>(
  events: Events<Row>,
  { action, code, account_id, agent_runtime_id }: AuditQuery,
): Events<Row> {
  let narrowed = events;
  if (action !== undefined) narrowed = narrowed.where("action", "=", action);
  if (code !== undefined) narrowed = narrowed.where("code", "=", code);
  if (account_id !== undefined) narrowed = narrowed.where("account_id", "=", account_id);
  if (agent_runtime_id !== undefined) {
    narrowed = narrowed.where((eb) =>
      eb.or([
        eb("agent_runtime_id", "=", agent_runtime_id),
        eb("claimed_agent_runtime_id", "=", agent_runtime_id),
      ]),
    );
  }
  return narrowed;
}

// SQLite writes one event after the other. On PostgreSQL an event may still be on its way while a later one is there: the end is the
// last before which nothing is missing.
async function findEnd({ kind, rows }: AuthorityStore): Promise<number> {
  const query =
    kind === "sqlite"
      ? sql<{ end: number | null }>`select max(sequence) as "end" from audit_events`
      : sql<{ end: string }>`select audit_events_end() as "end"`;
  const found = await query.execute(rows);
  return Number(found.rows[0]?.end ?? 0);
}

function invalid(hint: string): AgentAuthorityError {
  return new AgentAuthorityError("invalid_request", "the range of audit events is not allowed", {
    hint,
  });
}
