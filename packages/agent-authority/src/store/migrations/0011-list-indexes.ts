import { sql } from "kysely";
import type { MigrationContext } from "./migration-context.js";

/** The address that agents and tasks were registered from, and what finds them by it and by their age among millions. Those of before have none. */
export async function addListIndexes({ db, text, index }: MigrationContext): Promise<void> {
  for (const table of ["agents", "tasks"]) {
    await db.schema.alterTable(table).addColumn("address", text).execute();
    await sql`create index ${sql.id(`${table}_address`)} on ${sql.table(table)} (address) where address is not null`.execute(
      db,
    );
    await index(`${table}_created_at`, table, ["created_at"]);
  }
}
