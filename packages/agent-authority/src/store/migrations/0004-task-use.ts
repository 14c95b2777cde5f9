import type { MigrationContext } from "./migration-context.js";

/** What moves the end of a task that ends when it is not used. Tasks of before have neither: their end stays where it is. */
export async function addTaskUse({ db, text }: MigrationContext): Promise<void> {
  await db.schema.alterTable("tasks").addColumn("idle_seconds", "integer").execute();
  await db.schema.alterTable("tasks").addColumn("ttl_ends_at", text).execute();
}
