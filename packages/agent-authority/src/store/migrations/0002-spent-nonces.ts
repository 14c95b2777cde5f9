import type { MigrationContext } from "./migration-context.js";

export async function createNonceTable({ db, text, index }: MigrationContext): Promise<void> {
  await db.schema
    .createTable("spent_nonces")
    .addColumn("nonce_hash", text, (column) => column.primaryKey().notNull())
    .addColumn("expires_at", text, (column) => column.notNull())
    .execute();
  await index("spent_nonces_expires_at", "spent_nonces", ["expires_at"]);
}
