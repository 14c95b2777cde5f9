import { type Kysely, sql } from "kysely";
import { Migrator } from "kysely/migration";
import { AgentAuthorityError } from "../agent-authority-error.js";
import type { StoreKind } from "./authority-store.js";
import type { Database } from "./database.js";
import { createMigrations } from "./migrations.js";

/**
 * Brings the tables up to date. Safe from any number of processes at once: the migrator's lock lets one work, and the others find it done.
 *
 * @param schema - the schema of PostgreSQL that the tables stand in
 * @throws {AgentAuthorityError} `store_corrupt` when it is no database of an authority, or of a newer version
 */
export async function migrate(
  rows: Kysely<Database>,
  kind: StoreKind,
  schema?: string,
): Promise<void> {
  const migrator = new Migrator({
    db: rows,
    provider: { getMigrations: async () => createMigrations(kind) },
    // A server holds the databases of many programs, so there the tables of the migrator have a name of their own.
    ...(schema === undefined
      ? {}
      : {
          migrationTableSchema: schema,
          migrationTableName: "countersign_migration",
          migrationLockTableName: "countersign_migration_lock",
        }),
  });
  const { error } = await migrator.migrateToLatest();
  if (error === undefined) return;
  if (AgentAuthorityError.is(error)) throw error;
  throw new AgentAuthorityError(
    "store_corrupt",
    "the database is not one of this authority, or of a newer version",
    { cause: error, hint: "update countersign, or name another database" },
  );
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
