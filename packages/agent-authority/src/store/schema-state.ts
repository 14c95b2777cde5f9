import { type Kysely, sql } from "kysely";
import { AgentAuthorityError } from "../agent-authority-error.js";
import type { StoreKind } from "./authority-store.js";
import type { Database } from "./database.js";
import { createMigrations } from "./migrations.js";

/** The table of the migrator on SQLite. */
export const SQLITE_MIGRATIONS = "kysely_migration";

/** The table of the migrations that a database has. */
export interface MigrationTable {
  readonly name: string;
  /** Of PostgreSQL. */
  readonly schema?: string;
}

/** Which migrations a database has, by their names, in order. */
export interface SchemaState {
  /** Also those that this version does not know. */
  readonly applied: readonly string[];
  /** Those of this version that are missing. */
  readonly pending: readonly string[];
  /** Those among `applied` that this version does not know: a newer one made them. */
  readonly unknown: readonly string[];
}

/** Reads which migrations a database has. Changes nothing. */
export async function readSchemaState(
  rows: Kysely<Database>,
  kind: StoreKind,
  table: MigrationTable,
): Promise<SchemaState> {
  const applied = (await isThere(rows, table)) ? await readNames(rows, table) : [];
  const known = Object.keys(createMigrations(kind));
  return {
    applied,
    pending: known.filter((name) => !applied.includes(name)),
    unknown: applied.filter((name) => !known.includes(name)),
  };
}

/**
 * Returns whether a database can be used as it is. It cannot if it is new, or of a newer version, which the migrator then says.
 *
 * Throws `config_invalid` if it is of an earlier version.
 */
export function isUpToDate({ applied, pending, unknown }: SchemaState): boolean {
  if (applied.length === 0 || pending.length === 0) return pending.length + unknown.length === 0;
  throw new AgentAuthorityError(
    "config_invalid",
    `the database is of an earlier version: it lacks ${pending.join(", ")}`,
    {
      hint: "use the command of the version that runs on it; or update the authority, whose start brings the database up to date, or run countersign authority migrate",
    },
  );
}

async function isThere(rows: Kysely<Database>, { name, schema }: MigrationTable): Promise<boolean> {
  const query =
    schema === undefined
      ? sql`select 1 from sqlite_schema where type = 'table' and name = ${name}`
      : sql`select 1 from pg_catalog.pg_tables where schemaname = ${schema} and tablename = ${name}`;
  return (await query.execute(rows)).rows.length > 0;
}

async function readNames(
  rows: Kysely<Database>,
  { name, schema }: MigrationTable,
): Promise<readonly string[]> {
  const table = schema === undefined ? sql.id(name) : sql.id(schema, name);
  const found = await sql<{ name: string }>`select name from ${table} order by name`.execute(rows);
  return found.rows.map((row) => row.name);
}
