import { setImmediate as turn } from "node:timers/promises";
import { numberIn } from "@countersign/agent-key";
import { type Selectable, type SelectQueryBuilder, sql } from "kysely";
import { AgentAuthorityError } from "../agent-authority-error.js";
import { checkRequested } from "../option-checks.js";
import type { AuthorityStore } from "../store/authority-store.js";
import type { Database } from "../store/database.js";
import type { AuditEvent, AuditFilter } from "./audit-types.js";
import { checkLimit } from "./list-page.js";

// A statement looks at so many events at most: what is asked for may be rare, and on SQLite everybody waits for each statement.
const PORTION = 20_000;

export async function listAuditEvents(
  store: AuthorityStore,
  filter: AuditFilter,
): Promise<AuditEvent[]> {
  const { after = 0, last } = filter;
  checkRequested("after", after, numberIn(0, Number.MAX_SAFE_INTEGER));
  if (last !== undefined && filter.limit !== undefined) {
    throw invalid("give `limit` for the oldest, or `last` for the newest");
  }
  const limit = checkLimit(last ?? filter.limit);
  const end = await findEnd(store);
  const found: AuditEventRow[] = [];
  for (const [from, to] of portions(after, end, last !== undefined)) {
    const rows = await matching(store.rows.selectFrom("audit_events").selectAll(), filter)
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
  return found.map(toAuditEvent);
}

function* portions(after: number, end: number, isFromEnd: boolean): Generator<[number, number]> {
  const count = Math.ceil((end - after) / PORTION);
  for (let index = 0; index < count; index += 1) {
    const from = after + (isFromEnd ? count - 1 - index : index) * PORTION;
    yield [from, Math.min(from + PORTION, end)];
  }
}

type AuditEventRow = Selectable<Database["audit_events"]>;

function toAuditEvent(row: AuditEventRow): AuditEvent {
  return {
    sequence: Number(row.sequence),
    at: row.at,
    // Only this package writes these two, and only such values.
    action: row.action as AuditEvent["action"],
    code: (row.code ?? undefined) as AuditEvent["code"],
    actor: row.actor ?? undefined,
    address: row.address ?? undefined,
    requestId: row.request_id ?? undefined,
    accountId: row.account_id ?? undefined,
    userId: row.user_id ?? undefined,
    agentRuntimeId: row.agent_runtime_id ?? undefined,
    claimedAgentRuntimeId: row.claimed_agent_runtime_id ?? undefined,
    taskId: row.task_id ?? undefined,
    accessTokenId: row.access_token_id ?? undefined,
  };
}

type Events<Row> = SelectQueryBuilder<Database, "audit_events", Row>;

function matching<Row>(
  query: Events<Row>,
  { action, code, accountId, agentRuntimeId }: AuditFilter,
): Events<Row> {
  let narrowed = query;
  if (action !== undefined) narrowed = narrowed.where("action", "=", action);
  if (code !== undefined) narrowed = narrowed.where("code", "=", code);
  if (accountId !== undefined) narrowed = narrowed.where("account_id", "=", accountId);
  if (agentRuntimeId !== undefined) {
    narrowed = narrowed.where((eb) =>
      eb.or([
        eb("agent_runtime_id", "=", agentRuntimeId),
        eb("claimed_agent_runtime_id", "=", agentRuntimeId),
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
