import type { Kysely } from "kysely";
import type { Migration } from "kysely/migration";
import type { StoreKind } from "./authority-store.js";
import { createRegistryTables } from "./migrations/0001-registry.js";
import { createNonceTable } from "./migrations/0002-spent-nonces.js";
import { createServiceTables } from "./migrations/0003-service.js";
import { addTaskUse } from "./migrations/0004-task-use.js";
import type { MigrationContext } from "./migrations/migration-context.js";
import { migrationContext } from "./migrations/migration-context.js";

const UP: Readonly<Record<string, (context: MigrationContext) => Promise<void>>> = {
  "0001_registry": createRegistryTables,
  "0002_spent_nonces": createNonceTable,
  "0003_service": createServiceTables,
  "0004_task_use": addTaskUse,
};

/** Every migration by name, in order. A released one is never changed. */
export function createMigrations(kind: StoreKind): Record<string, Migration> {
  return Object.fromEntries(
    Object.entries(UP).map(([name, up]) => [
      name,
      { up: (db: Kysely<unknown>) => up(migrationContext(db, kind)) },
    ]),
  );
}
