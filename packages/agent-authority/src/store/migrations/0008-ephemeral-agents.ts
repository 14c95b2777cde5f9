import { sql } from "kysely";
import type { MigrationContext } from "./migration-context.js";

/** Agents that were registered as ephemeral, and what counts the live agents of each kind: a user of a CI has many that have ended. */
export async function addEphemeralAgents({ db }: MigrationContext): Promise<void> {
  await db.schema
    .alterTable("agents")
    .addColumn("ephemeral", "integer", (column) => column.notNull().defaultTo(0))
    .execute();
  await sql`create index agents_live_lasting on agents (account_id, user_id, expires_at) where ephemeral = 0 and state = 'active'`.execute(
    db,
  );
  await sql`create index agents_live_ephemeral on agents (account_id, user_id, expires_at) where ephemeral = 1 and state = 'active'`.execute(
    db,
  );
}
