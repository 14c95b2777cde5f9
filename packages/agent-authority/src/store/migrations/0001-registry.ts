import { sql } from "kysely";
import { createAuditTable } from "./audit-table.js";
import type { MigrationContext } from "./migration-context.js";

export async function createRegistryTables(context: MigrationContext): Promise<void> {
  await createTokenTables(context);
  await createAgentTables(context);
  await createAuditTable(context);
}

async function createTokenTables({ db, text, index }: MigrationContext): Promise<void> {
  await db.schema
    .createTable("access_tokens")
    .addColumn("access_token_id", text, (column) => column.primaryKey().notNull())
    .addColumn("token_hash", text, (column) => column.notNull().unique())
    .addColumn("role", text, (column) =>
      column.notNull().check(sql`role in ('human', 'resource_server', 'read', 'operate')`),
    )
    .addColumn("account_id", text, (column) => column.notNull())
    .addColumn("user_id", text, (column) => column.notNull())
    .addColumn("created_at", text, (column) => column.notNull())
    .addColumn("expires_at", text, (column) => column.notNull())
    .addColumn("revoked_at", text)
    .execute();
  await db.schema
    .createTable("biscuits")
    .addColumn("biscuit_hash", text, (column) => column.primaryKey().notNull())
    .addColumn("access_token_id", text, (column) =>
      column.notNull().references("access_tokens.access_token_id"),
    )
    .addColumn("method", text, (column) => column.notNull())
    .addColumn("target", text, (column) => column.notNull())
    .addColumn("expires_at", text, (column) => column.notNull())
    .execute();
  await index("biscuits_expires_at", "biscuits", ["expires_at"]);
  await db.schema
    .createTable("biscuit_uses")
    .addColumn("biscuit_hash", text, (column) =>
      column.primaryKey().notNull().references("biscuits.biscuit_hash").onDelete("cascade"),
    )
    .addColumn("used_at", text, (column) => column.notNull())
    .execute();
}

async function createAgentTables({ db, text, index }: MigrationContext): Promise<void> {
  await db.schema
    .createTable("agents")
    .addColumn("agent_runtime_id", text, (column) => column.primaryKey().notNull())
    .addColumn("account_id", text, (column) => column.notNull())
    .addColumn("user_id", text, (column) => column.notNull())
    .addColumn("public_key", text, (column) => column.notNull())
    .addColumn("x25519_public_key", text, (column) => column.notNull())
    .addColumn("capabilities", text, (column) => column.notNull())
    .addColumn("abom", text, (column) => column.notNull())
    .addColumn("state", text, (column) =>
      column.notNull().check(sql`state in ('active', 'revoked')`),
    )
    .addColumn("created_at", text, (column) => column.notNull())
    .addColumn("claimed_at", text, (column) => column.notNull())
    .addColumn("proven_at", text)
    .addColumn("expires_at", text)
    .addColumn("revoked_at", text)
    .addUniqueConstraint("agents_claim", ["public_key", "account_id", "user_id"])
    .execute();
  await index("agents_principal", "agents", ["account_id", "user_id"]);
  // A key belongs to at most one agent that has proved it, whatever the code above the database does.
  await sql`create unique index agents_proven_key on agents (public_key) where proven_at is not null`.execute(
    db,
  );
  await db.schema
    .createTable("tasks")
    .addColumn("task_id", text, (column) => column.primaryKey().notNull())
    .addColumn("agent_runtime_id", text, (column) =>
      column.notNull().references("agents.agent_runtime_id"),
    )
    .addColumn("idempotency_hash", text)
    .addColumn("state", text, (column) =>
      column.notNull().check(sql`state in ('active', 'revoked')`),
    )
    .addColumn("created_at", text, (column) => column.notNull())
    .addColumn("expires_at", text)
    .addColumn("revoked_at", text)
    .addUniqueConstraint("tasks_idempotency", ["agent_runtime_id", "idempotency_hash"])
    .execute();
  await index("tasks_live", "tasks", ["agent_runtime_id", "state", "expires_at"]);
}
