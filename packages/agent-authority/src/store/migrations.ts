import { type Kysely, sql } from "kysely";
import type { Migration } from "kysely/migration";

/** Every migration by name, in order. A released one is never changed. */
export function createMigrations(): Record<string, Migration> {
  return {
    "0001_registry": { up: createRegistryTables },
    "0002_spent_nonces": { up: createNonceTable },
  };
}

async function createRegistryTables(db: Kysely<unknown>): Promise<void> {
  await createTokenTables(db);
  await createAgentTables(db);
  await createAuditTable(db);
}

async function createTokenTables(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable("access_tokens")
    .addColumn("access_token_id", "text", (column) => column.primaryKey().notNull())
    .addColumn("token_hash", "text", (column) => column.notNull().unique())
    .addColumn("role", "text", (column) =>
      column.notNull().check(sql`role in ('human', 'resource_server', 'read', 'operate')`),
    )
    .addColumn("account_id", "text", (column) => column.notNull())
    .addColumn("user_id", "text", (column) => column.notNull())
    .addColumn("created_at", "text", (column) => column.notNull())
    .addColumn("expires_at", "text", (column) => column.notNull())
    .addColumn("revoked_at", "text")
    .execute();
  await db.schema
    .createTable("biscuits")
    .addColumn("biscuit_hash", "text", (column) => column.primaryKey().notNull())
    .addColumn("access_token_id", "text", (column) =>
      column.notNull().references("access_tokens.access_token_id"),
    )
    .addColumn("method", "text", (column) => column.notNull())
    .addColumn("target", "text", (column) => column.notNull())
    .addColumn("expires_at", "text", (column) => column.notNull())
    .execute();
  await index(db, "biscuits_expires_at", "biscuits", ["expires_at"]);
  await db.schema
    .createTable("biscuit_uses")
    .addColumn("biscuit_hash", "text", (column) =>
      column.primaryKey().notNull().references("biscuits.biscuit_hash").onDelete("cascade"),
    )
    .addColumn("used_at", "text", (column) => column.notNull())
    .execute();
}

async function createAgentTables(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable("agents")
    .addColumn("agent_runtime_id", "text", (column) => column.primaryKey().notNull())
    .addColumn("account_id", "text", (column) => column.notNull())
    .addColumn("user_id", "text", (column) => column.notNull())
    .addColumn("public_key", "text", (column) => column.notNull())
    .addColumn("x25519_public_key", "text", (column) => column.notNull())
    .addColumn("capabilities", "text", (column) => column.notNull())
    .addColumn("abom", "text", (column) => column.notNull())
    .addColumn("state", "text", (column) =>
      column.notNull().check(sql`state in ('active', 'revoked')`),
    )
    .addColumn("created_at", "text", (column) => column.notNull())
    .addColumn("claimed_at", "text", (column) => column.notNull())
    .addColumn("proven_at", "text")
    .addColumn("expires_at", "text")
    .addColumn("revoked_at", "text")
    .addUniqueConstraint("agents_claim", ["public_key", "account_id", "user_id"])
    .execute();
  await index(db, "agents_principal", "agents", ["account_id", "user_id"]);
  // A key belongs to at most one agent that has proved it, whatever the code above the database does.
  await sql`create unique index agents_proven_key on agents (public_key) where proven_at is not null`.execute(
    db,
  );
  await db.schema
    .createTable("tasks")
    .addColumn("task_id", "text", (column) => column.primaryKey().notNull())
    .addColumn("agent_runtime_id", "text", (column) =>
      column.notNull().references("agents.agent_runtime_id"),
    )
    .addColumn("idempotency_hash", "text")
    .addColumn("state", "text", (column) =>
      column.notNull().check(sql`state in ('active', 'revoked')`),
    )
    .addColumn("created_at", "text", (column) => column.notNull())
    .addColumn("expires_at", "text")
    .addColumn("revoked_at", "text")
    .addUniqueConstraint("tasks_idempotency", ["agent_runtime_id", "idempotency_hash"])
    .execute();
  await index(db, "tasks_live", "tasks", ["agent_runtime_id", "state", "expires_at"]);
}

async function createAuditTable(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable("audit_events")
    .addColumn("sequence", "integer", (column) => column.primaryKey().autoIncrement().notNull())
    .addColumn("at", "text", (column) => column.notNull())
    .addColumn("action", "text", (column) => column.notNull())
    .addColumn("account_id", "text")
    .addColumn("user_id", "text")
    .addColumn("agent_runtime_id", "text")
    .addColumn("task_id", "text")
    .addColumn("access_token_id", "text")
    .execute();
  // Append-only: no statement of the service changes or removes an event. `insert or replace` would remove one without firing the
  // delete trigger, so an insert over an existing event is refused as well.
  for (const [name, event] of [
    ["audit_events_no_update", sql`before update on audit_events`],
    ["audit_events_no_delete", sql`before delete on audit_events`],
    [
      "audit_events_no_replace",
      sql`before insert on audit_events when exists (select 1 from audit_events where sequence = new.sequence)`,
    ],
  ] as const) {
    await sql`create trigger ${sql.raw(name)} ${event} begin select raise(abort, 'the audit log is append-only'); end`.execute(
      db,
    );
  }
}

async function createNonceTable(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable("spent_nonces")
    .addColumn("nonce_hash", "text", (column) => column.primaryKey().notNull())
    .addColumn("expires_at", "text", (column) => column.notNull())
    .execute();
  await index(db, "spent_nonces_expires_at", "spent_nonces", ["expires_at"]);
}

async function index(
  db: Kysely<unknown>,
  name: string,
  table: string,
  columns: string[],
): Promise<void> {
  await db.schema.createIndex(name).on(table).columns(columns).execute();
}
