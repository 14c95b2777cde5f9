import type { MigrationContext } from "./migration-context.js";

/** The end that a token was made with. A rotation makes the end sooner, and another rotation of the same token asks how long it was to live. */
export async function addTokenLifetimes({ db, text }: MigrationContext): Promise<void> {
  await db.schema.alterTable("access_tokens").addColumn("first_expires_at", text).execute();
}
