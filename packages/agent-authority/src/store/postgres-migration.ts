import { type Kysely, sql } from "kysely";
import { AgentAuthorityError } from "../agent-authority-error.js";
import type { Database } from "./database.js";
import { migrate } from "./migrate.js";
import { createMigrations } from "./migrations.js";

// The id of the advisory lock that Kysely's migrators take: an authority of before, which leaves it to them, is locked out too.
const LOCK_ID = sql.lit("3853314791062309107");
/** The table of the migrator on PostgreSQL. */
export const MIGRATIONS = "countersign_migration";

/** Where the tables of PostgreSQL stand, and how long each of their locks is waited for. */
export interface PostgresTables {
  readonly schema: string;
  /** A value of `lock_timeout`. While a lock of a table is waited for, every other statement on that table waits as well. */
  readonly lockTimeout: string;
}

/**
 * Brings the tables of a schema of PostgreSQL up to date. Safe from any number of processes at once: one works, and the others find it done.
 *
 * @throws {AgentAuthorityError} as {@link migrate}; `store_locked` when another process holds a lock for too long
 */
export async function migrateSchema(rows: Kysely<Database>, tables: PostgresTables): Promise<void> {
  const { schema, lockTimeout } = tables;
  // One transaction holds the lock to its end. Behind a pooler, a lock of the session would stay with the next client of that session.
  await rows.transaction().execute(async (transaction) => {
    await lockMigrations(transaction);
    await sql`select set_config('lock_timeout', ${lockTimeout}, true)`.execute(transaction);
    // As Kysely makes it. After a failure of its own it asks once more, which a failed transaction refuses: the reason would be lost.
    const table = sql.id(schema, MIGRATIONS);
    const { rows: found } = await sql<{ there: boolean }>`select exists (select from
      pg_catalog.pg_tables where schemaname = ${schema} and tablename = ${MIGRATIONS}) as there`.execute(
      transaction,
    );
    if (found[0]?.there !== true) {
      await sql`create table ${table} (name varchar(255) not null primary key, timestamp varchar(255) not null)`.execute(
        transaction,
      );
    } else await lockTables(transaction, tables);
    await migrate(transaction, "postgres", {
      // A server holds the databases of many programs, so there the tables of the migrator have a name of their own.
      migrationTableSchema: schema,
      migrationTableName: MIGRATIONS,
      migrationLockTableName: "countersign_migration_lock",
    });
  });
}

// In the order in which registrations lock them.
const WRITTEN = ["access_tokens", "accounts", "users", "agents", "tasks", "audit_events"];

/**
 * Locks the tables that the service writes, where a migration is to come: one that locked them in an order of its own, or first weakly and then
 * strongly, would wait for writers that wait for it.
 */
async function lockTables(
  transaction: Kysely<Database>,
  { schema }: PostgresTables,
): Promise<void> {
  const { rows: done } = await sql<{
    name: string;
  }>`select name from ${sql.id(schema, MIGRATIONS)}`.execute(transaction);
  const names = new Set(done.map(({ name }) => name));
  // Without one that is done, there are no tables yet. One of a newer version is refused later.
  if (
    names.size === 0 ||
    Object.keys(createMigrations("postgres")).every((name) => names.has(name))
  )
    return;
  const { rows: found } = await sql<{
    name: string;
  }>`select tablename as name from pg_catalog.pg_tables where schemaname = ${schema}`.execute(
    transaction,
  );
  const there = new Set(found.map(({ name }) => name));
  const tables = WRITTEN.filter((name) => there.has(name)).map((name) => sql.id(schema, name));
  if (tables.length === 0) return;
  await sql`lock table ${sql.join(tables)} in access exclusive mode`.execute(transaction);
}

async function lockMigrations(transaction: Kysely<Database>): Promise<void> {
  try {
    await sql`select pg_advisory_xact_lock(${LOCK_ID}::bigint)`.execute(transaction);
  } catch (error) {
    if (!AgentAuthorityError.is(error) || error.code !== "store_locked") throw error;
    const message =
      "another process is bringing the database up to date, and has not ended in time";
    throw new AgentAuthorityError("store_locked", message, {
      cause: error,
      retryable: true,
      hint: "try again; if no authority is starting, look in pg_locks for the session that holds the advisory lock",
    });
  }
}

/** The schema that new tables of this connection go to. Throws `config_invalid` when there is none. */
export async function findSchema(rows: Kysely<Database>): Promise<string> {
  const { rows: found } = await sql<{
    schema: string | null;
  }>`select current_schema() as schema`.execute(rows);
  const schema = found[0]?.schema;
  if (typeof schema === "string") return schema;
  throw new AgentAuthorityError(
    "config_invalid",
    "the search path names no schema of the database",
    {
      hint: "create the schema, or name another in the parameter `options` of the database URL",
    },
  );
}
