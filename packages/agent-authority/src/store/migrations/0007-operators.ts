import { sql } from "kysely";
import type { MigrationContext } from "./migration-context.js";

/**
 * What operators need as people: roles that may be added to, tokens with a name, a last use and limits, and the name in the audit log.
 *
 * A token of role `operate` could make tokens before, and keeps that.
 */
export async function addOperators(context: MigrationContext): Promise<void> {
  const { db, kind, text } = context;
  await (kind === "postgres"
    ? sql`alter table access_tokens drop constraint access_tokens_role_check`.execute(db)
    : renewTokenTable(context));
  for (const name of ["name", "accounts", "last_used_at"]) {
    await db.schema.alterTable("access_tokens").addColumn(name, text).execute();
  }
  await db.schema
    .alterTable("access_tokens")
    .addColumn("scopes", text, (column) => column.notNull().defaultTo("[]"))
    .execute();
  await sql`update access_tokens set scopes = '["tokens"]' where role = 'operate'`.execute(db);
  await db.schema.alterTable("audit_events").addColumn("actor_name", text).execute();
}

/**
 * SQLite drops no check of a table: the table is made again, with the same name, which the foreign key of biscuits refers to. The key is looked
 * at when the transaction ends, where every token is there again.
 */
async function renewTokenTable({ db, text, index }: MigrationContext): Promise<void> {
  await sql`pragma defer_foreign_keys = on`.execute(db);
  await sql`create table access_tokens_before as select * from access_tokens`.execute(db);
  await db.schema.dropTable("access_tokens").execute();
  await db.schema
    .createTable("access_tokens")
    .addColumn("access_token_id", text, (column) => column.primaryKey().notNull())
    .addColumn("token_hash", text, (column) => column.notNull().unique())
    .addColumn("role", text, (column) => column.notNull())
    .addColumn("account_id", text, (column) => column.notNull())
    .addColumn("user_id", text, (column) => column.notNull())
    .addColumn("created_at", text, (column) => column.notNull())
    .addColumn("expires_at", text, (column) => column.notNull())
    .addColumn("revoked_at", text)
    .execute();
  await sql`insert into access_tokens (access_token_id, token_hash, role, account_id, user_id, created_at, expires_at, revoked_at)
    select access_token_id, token_hash, role, account_id, user_id, created_at, expires_at, revoked_at from access_tokens_before`.execute(
    db,
  );
  await db.schema.dropTable("access_tokens_before").execute();
  await index("access_tokens_principal", "access_tokens", ["account_id", "user_id"]);
}
