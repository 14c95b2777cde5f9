import type { MigrationContext } from "./migration-context.js";

/** What a revocation needs to say what it stopped and why: the agents and tokens of a user by an index, and its reason in the audit log. */
export async function addStops({ db, text, index }: MigrationContext): Promise<void> {
  await db.schema.alterTable("audit_events").addColumn("reason", text).execute();
  await index("agents_of_principal", "agents", ["account_id", "user_id", "agent_runtime_id"]);
  // The new one begins with the same columns.
  await db.schema.dropIndex("agents_principal").execute();
  await index("access_tokens_principal", "access_tokens", ["account_id", "user_id"]);
}
