import { sql } from "kysely";
import { AgentAuthorityError } from "../agent-authority-error.js";
import type { AuthorityStore } from "../store/authority-store.js";
import type { AuditAction, AuditEvent, AuditFilter } from "./registry-types.js";

const DEFAULT_LIMIT = 1_000;
const MAX_LIMIT = 10_000;

export async function listAuditEvents(
  store: AuthorityStore,
  filter: AuditFilter,
): Promise<AuditEvent[]> {
  const { after = 0, limit = DEFAULT_LIMIT } = filter;
  if (!Number.isSafeInteger(after) || !Number.isSafeInteger(limit)) throw invalid();
  if (after < 0 || limit < 1 || limit > MAX_LIMIT) throw invalid();
  const end = await findEnd(store);
  const found = await store.rows
    .selectFrom("audit_events")
    .selectAll()
    .where("sequence", ">", after)
    .$if(end !== undefined, (query) => query.where("sequence", "<=", end ?? 0))
    .orderBy("sequence")
    .limit(limit)
    .execute();
  return found.map((row) => ({
    sequence: Number(row.sequence),
    at: row.at,
    // Only this package writes the column, and only such values.
    action: row.action as AuditAction,
    accountId: row.account_id ?? undefined,
    userId: row.user_id ?? undefined,
    agentRuntimeId: row.agent_runtime_id ?? undefined,
    taskId: row.task_id ?? undefined,
    accessTokenId: row.access_token_id ?? undefined,
  }));
}

// SQLite writes one event after the other. On PostgreSQL an event may still be on its way while a later one is there: the end is the
// last before which nothing is missing.
async function findEnd({ kind, rows }: AuthorityStore): Promise<number | undefined> {
  if (kind === "sqlite") return undefined;
  const found = await sql<{ end: string }>`select audit_events_end() as "end"`.execute(rows);
  return Number(found.rows[0]?.end);
}

function invalid(): AgentAuthorityError {
  return new AgentAuthorityError("invalid_request", "the range of audit events is not allowed", {
    hint: "`after` is 0 or more, `limit` 1 to 10,000",
  });
}
