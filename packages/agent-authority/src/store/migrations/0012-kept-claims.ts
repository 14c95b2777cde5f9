import type { MigrationContext } from "./migration-context.js";

/**
 * The claims of a human's token that are kept with an agent, also from a biscuit that was made for that token, and what finds an agent by the value of one. Agents of
 * before have none. An authority of an earlier version that deletes an agent does not know the second table: its rows go with the agent's.
 */
export async function addKeptClaims({ db, text, index }: MigrationContext): Promise<void> {
  await db.schema.alterTable("agents").addColumn("claims", text).execute();
  await db.schema.alterTable("biscuits").addColumn("claims", text).execute();
  await db.schema
    .createTable("agent_claims")
    .addColumn("agent_runtime_id", text, (column) =>
      column.notNull().references("agents.agent_runtime_id").onDelete("cascade"),
    )
    .addColumn("value", text, (column) => column.notNull())
    .addPrimaryKeyConstraint("agent_claims_pk", ["agent_runtime_id", "value"])
    .execute();
  await index("agent_claims_value", "agent_claims", ["value", "agent_runtime_id"]);
}
