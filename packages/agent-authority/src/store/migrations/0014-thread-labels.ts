import { sql } from "kysely";
import type { MigrationContext } from "./migration-context.js";

/** What clients call the threads of their tasks, and what finds tasks by it, newest first, among millions. Tasks of before have none. */
export async function addThreadLabels({ db, text }: MigrationContext): Promise<void> {
  await db.schema.alterTable("tasks").addColumn("thread_label", text).execute();
  await sql`create index tasks_thread_label on tasks (thread_label, task_id desc) where thread_label is not null`.execute(
    db,
  );
}
