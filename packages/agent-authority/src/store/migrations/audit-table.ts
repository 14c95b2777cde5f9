import { sql } from "kysely";
import type { MigrationContext } from "./migration-context.js";

/** The number of the lock that orders the events of one database. */
const LOCK = 1_668_510_836;

/**
 * The audit log, append-only: no statement of the service changes or removes an event.
 *
 * Its `sequence` grows with each event, and a reader that has seen one sees no smaller one appear later.
 */
export async function createAuditTable(context: MigrationContext): Promise<void> {
  const { db, kind, text } = context;
  await db.schema
    .createTable("audit_events")
    .$call((table) =>
      kind === "postgres"
        ? table.addColumn("sequence", "bigint", (column) => column.primaryKey().notNull())
        : table.addColumn("sequence", "integer", (column) =>
            column.primaryKey().autoIncrement().notNull(),
          ),
    )
    .addColumn("at", text, (column) => column.notNull())
    .addColumn("action", text, (column) => column.notNull())
    .addColumn("account_id", text)
    .addColumn("user_id", text)
    .addColumn("agent_runtime_id", text)
    .addColumn("task_id", text)
    .addColumn("access_token_id", text)
    .execute();
  await (kind === "postgres" ? protectOnPostgres(context) : protectOnSqlite(context));
}

// `insert or replace` would remove an event without firing the delete trigger, so an insert over an existing event is refused as well.
async function protectOnSqlite({ db }: MigrationContext): Promise<void> {
  for (const [name, event] of [
    ["audit_events_no_update", sql`before update on audit_events`],
    ["audit_events_no_delete", sql`before delete on audit_events`],
    [
      "audit_events_no_replace",
      sql`before insert on audit_events when exists (select 1 from audit_events where sequence = new.sequence)`,
    ],
  ] as const) {
    await sql`create trigger ${sql.raw(name)} ${event} begin select raise(abort, 'the audit log is append-only'); end`.execute(
      db,
    );
  }
}

// Transactions run concurrently, so a number that was taken early may be committed late. So each transaction that appends takes a shared lock
// before it takes its number, and holds the lock until its commit. A reader waits for that lock. Afterwards every number up to the last one
// that the reader sees is committed, or will never be.
async function protectOnPostgres({ db }: MigrationContext): Promise<void> {
  const lock = sql.lit(LOCK);
  for (const statement of [
    sql`create sequence audit_events_sequence`,
    sql`create function audit_events_append() returns trigger language plpgsql set search_path from current as $$
      begin
        perform pg_advisory_xact_lock_shared(${lock});
        new.sequence := nextval('audit_events_sequence');
        return new;
      end $$`,
    sql`create trigger audit_events_append before insert on audit_events for each row execute function audit_events_append()`,
    sql`create function audit_events_end() returns bigint language plpgsql set search_path from current as $$
      begin
        perform pg_advisory_xact_lock(${lock});
        return (select coalesce(max(sequence), 0) from audit_events);
      end $$`,
    sql`create function audit_events_refuse() returns trigger language plpgsql as $$
      begin
        raise exception 'the audit log is append-only';
      end $$`,
    sql`create trigger audit_events_no_change before update or delete on audit_events for each row execute function audit_events_refuse()`,
    sql`create trigger audit_events_no_truncate before truncate on audit_events for each statement execute function audit_events_refuse()`,
  ]) {
    await statement.execute(db);
  }
}
