import type { MigrationContext } from "./migration-context.js";

/**
 * When agents and tasks were last used, as resource servers report it: in tables of their own, so that a report holds no row that a registration
 * waits for. What is reported is about rows that stay, so nothing refers to them.
 */
export async function addLastUse({ db, text, index }: MigrationContext): Promise<void> {
  await db.schema
    .createTable("agent_uses")
    .addColumn("agent_runtime_id", text, (column) => column.primaryKey().notNull())
    .addColumn("used_at", text, (column) => column.notNull())
    .addColumn("reported_by", text, (column) => column.notNull())
    .execute();
  await index("agent_uses_used_at", "agent_uses", ["used_at", "agent_runtime_id"]);
  await db.schema
    .createTable("task_uses")
    .addColumn("task_id", text, (column) => column.primaryKey().notNull())
    .addColumn("first_used_at", text, (column) => column.notNull())
    .addColumn("used_at", text, (column) => column.notNull())
    .addColumn("reported_by", text, (column) => column.notNull())
    .execute();
  await index("task_uses_used_at", "task_uses", ["used_at", "task_id"]);
}
