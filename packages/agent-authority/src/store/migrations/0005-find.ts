import { sql } from "kysely";
import type { MigrationContext } from "./migration-context.js";

// The columns of the audit log that operators search by.
const SEARCHED = [
  "account_id",
  "user_id",
  "agent_runtime_id",
  "claimed_agent_runtime_id",
  "task_id",
  "address",
  "actor",
  "request_id",
];

/** What finds events of the audit log, and users without their account, among millions. */
export async function addFindIndexes({ db, kind, index }: MigrationContext): Promise<void> {
  await index("users_user_id", "users", ["user_id"]);
  // SQLite ends the entries of each index with the row's number, which is the sequence.
  const sequence = kind === "postgres" ? sql`, sequence` : sql``;
  await sql`create index audit_events_at on audit_events (at${sequence})`.execute(db);
  // An event has few of these: what is null is left out, so that appending an event stays cheap.
  for (const column of SEARCHED) {
    const name = sql.id(`audit_events_${column}`);
    await sql`create index ${name} on audit_events (${sql.id(column)}${sequence}) where ${sql.id(column)} is not null`.execute(
      db,
    );
  }
  // An address may have millions of refusals among which few events name an agent.
  await sql`create index audit_events_agents_of_address on audit_events (address${sequence}) where address is not null and agent_runtime_id is not null`.execute(
    db,
  );
}
