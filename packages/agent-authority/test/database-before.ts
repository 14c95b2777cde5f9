import { DatabaseSync } from "node:sqlite";
import { Kysely } from "kysely";
import { Migrator } from "kysely/migration";
import type { Database } from "../src/store/database.js";
import { createMigrations } from "../src/store/migrations.js";
import { createPostgresDialect } from "../src/store/postgres-dialect.js";
import { findSchema, MIGRATIONS } from "../src/store/postgres-migration.js";
import { migrationPatience } from "../src/store/postgres-patience.js";
import { createSqliteDialect } from "../src/store/sqlite-dialect.js";
import { databaseKind } from "./test-database.js";

/** Makes the tables of an empty database as the version before a migration made them, and gives the connection that this was done with. */
export async function makeDatabaseBefore(
  url: string,
  migration: string,
): Promise<Kysely<Database>> {
  const isPostgres = databaseKind === "postgres";
  const dialect = isPostgres
    ? createPostgresDialect(url, { maxConnections: 1, patience: migrationPatience(url) })
    : createSqliteDialect(openSqlite(url));
  const rows = new Kysely<Database>({ dialect });
  const all = Object.entries(createMigrations(databaseKind));
  const earlier = Object.fromEntries(all.filter(([name]) => name < migration));
  const migrator = new Migrator({
    db: rows,
    provider: { getMigrations: async () => earlier },
    ...(isPostgres && {
      migrationTableSchema: await findSchema(rows),
      migrationTableName: MIGRATIONS,
      migrationLockTableName: "countersign_migration_lock",
    }),
  });
  const { error } = await migrator.migrateToLatest();
  if (error !== undefined) throw error;
  return rows;
}

function openSqlite(url: string): DatabaseSync {
  const database = new DatabaseSync(url.slice("sqlite:".length));
  database.exec("pragma journal_mode = wal");
  return database;
}
