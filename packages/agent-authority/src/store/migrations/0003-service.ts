import { sql } from "kysely";
import type { MigrationContext } from "./migration-context.js";

/** What an authority needs as a service: revocable users and accounts, key rotation, identity JWTs, refusals in the audit log, limits. */
export async function createServiceTables(context: MigrationContext): Promise<void> {
  await createPrincipalTables(context);
  await createKeyTables(context);
  await renewBiscuitTables(context);
  await extendAuditTable(context);
  await createLimitTable(context);
}

async function createPrincipalTables({ db, text }: MigrationContext): Promise<void> {
  await db.schema
    .createTable("accounts")
    .addColumn("account_id", text, (column) => column.primaryKey().notNull())
    .addColumn("created_at", text, (column) => column.notNull())
    .addColumn("revoked_at", text)
    .execute();
  await db.schema
    .createTable("users")
    .addColumn("account_id", text, (column) => column.notNull())
    .addColumn("user_id", text, (column) => column.notNull())
    .addColumn("created_at", text, (column) => column.notNull())
    .addColumn("revoked_at", text)
    .addPrimaryKeyConstraint("users_pk", ["account_id", "user_id"])
    .execute();
  await sql`insert into accounts (account_id, created_at) select account_id, min(created_at) from agents group by account_id`.execute(
    db,
  );
  await sql`insert into users (account_id, user_id, created_at) select account_id, user_id, min(created_at) from agents group by account_id, user_id`.execute(
    db,
  );
}

async function createKeyTables({ db, text, index }: MigrationContext): Promise<void> {
  await db.schema
    .alterTable("agents")
    .addColumn("generation", text, (column) => column.notNull().defaultTo("C"))
    .execute();
  await db.schema.alterTable("agents").addColumn("former_keys_end_at", text).execute();
  await db.schema
    .createTable("former_keys")
    .addColumn("public_key", text, (column) => column.primaryKey().notNull())
    .addColumn("agent_runtime_id", text, (column) =>
      column.notNull().references("agents.agent_runtime_id"),
    )
    .addColumn("x25519_public_key", text, (column) => column.notNull())
    .addColumn("replaced_at", text, (column) => column.notNull())
    .addColumn("ends_at", text, (column) => column.notNull())
    .execute();
  await index("former_keys_agent", "former_keys", ["agent_runtime_id"]);
  await db.schema
    .createTable("signing_keys")
    .addColumn("kid", text, (column) => column.primaryKey().notNull())
    .addColumn("private_jwk", text, (column) => column.notNull())
    .addColumn("public_jwk", text, (column) => column.notNull())
    .addColumn("created_at", text, (column) => column.notNull())
    .addColumn("retired_at", text)
    .addColumn("ends_at", text)
    .execute();
  // At most one signs, whatever several processes do at once.
  await sql`create unique index signing_keys_active on signing_keys ((1)) where retired_at is null`.execute(
    db,
  );
}

// Biscuits live a minute: those of before are dropped. A human of an OIDC issuer has no access token here, so the row names the human.
async function renewBiscuitTables({ db, text, index }: MigrationContext): Promise<void> {
  await db.schema.dropTable("biscuit_uses").execute();
  await db.schema.dropTable("biscuits").execute();
  await db.schema
    .createTable("biscuits")
    .addColumn("biscuit_hash", text, (column) => column.primaryKey().notNull())
    .addColumn("account_id", text, (column) => column.notNull())
    .addColumn("user_id", text, (column) => column.notNull())
    .addColumn("actor", text, (column) => column.notNull())
    .addColumn("access_token_id", text, (column) =>
      column.references("access_tokens.access_token_id"),
    )
    .addColumn("agent_ttl_seconds", "integer")
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

async function extendAuditTable({ db, text }: MigrationContext): Promise<void> {
  for (const name of ["code", "actor", "address", "claimed_agent_runtime_id", "request_id"]) {
    await db.schema.alterTable("audit_events").addColumn(name, text).execute();
  }
}

// Counters are worth nothing after a crash: PostgreSQL writes no log of them, so counting waits for no disk.
async function createLimitTable({ db, kind, text, index }: MigrationContext): Promise<void> {
  await db.schema
    .createTable("rate_limits")
    .$call((table) => (kind === "postgres" ? table.modifyFront(sql`unlogged`) : table))
    .addColumn("name", text, (column) => column.notNull())
    .addColumn("window_start", text, (column) => column.notNull())
    .addColumn("count", "integer", (column) => column.notNull())
    .addColumn("expires_at", text, (column) => column.notNull())
    .addPrimaryKeyConstraint("rate_limits_pk", ["name", "window_start"])
    .execute();
  await index("rate_limits_expires_at", "rate_limits", ["expires_at"]);
}
