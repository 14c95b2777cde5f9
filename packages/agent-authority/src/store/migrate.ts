import type { Kysely } from "kysely";
import { Migrator, type MigratorProps } from "kysely/migration";
import { AgentAuthorityError } from "../agent-authority-error.js";
import type { StoreKind } from "./authority-store.js";
import type { Database } from "./database.js";
import { createMigrations } from "./migrations.js";

/**
 * Brings the tables up to date.
 *
 * @param names - how the tables of the migrator are called, where Kysely's names are not to be used
 * @throws {AgentAuthorityError} `store_corrupt` when it is no database of an authority, or of a newer version; what the connection rejects with
 */
export async function migrate(
  rows: Kysely<Database>,
  kind: StoreKind,
  names: Omit<MigratorProps, "db" | "provider"> = {},
): Promise<void> {
  const provider = { getMigrations: async () => createMigrations(kind) };
  const { error } = await new Migrator({ db: rows, provider, ...names }).migrateToLatest();
  if (error === undefined) return;
  if (AgentAuthorityError.is(error)) throw error;
  throw new AgentAuthorityError(
    "store_corrupt",
    "the database is not one of this authority, or of a newer version",
    { cause: error, hint: "update countersign, or name another database" },
  );
}
