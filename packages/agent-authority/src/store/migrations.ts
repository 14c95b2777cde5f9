import type { Kysely } from "kysely";
import type { Migration } from "kysely/migration";
import type { StoreKind } from "./authority-store.js";
import { createRegistryTables } from "./migrations/0001-registry.js";
import { createNonceTable } from "./migrations/0002-spent-nonces.js";
import { createServiceTables } from "./migrations/0003-service.js";
import { addTaskUse } from "./migrations/0004-task-use.js";
import { addFindIndexes } from "./migrations/0005-find.js";
import { addStops } from "./migrations/0006-stops.js";
import { addOperators } from "./migrations/0007-operators.js";
import { addEphemeralAgents } from "./migrations/0008-ephemeral-agents.js";
import { addLastUse } from "./migrations/0009-last-use.js";
import { addTokenLifetimes } from "./migrations/0010-token-lifetimes.js";
import { addListIndexes } from "./migrations/0011-list-indexes.js";
import { addKeptClaims } from "./migrations/0012-kept-claims.js";
import { addTokenNameIndex } from "./migrations/0013-token-names.js";
import { addThreadLabels } from "./migrations/0014-thread-labels.js";
import { addTokenListIndexes } from "./migrations/0015-token-lists.js";
import type { MigrationContext } from "./migrations/migration-context.js";
import { migrationContext } from "./migrations/migration-context.js";

const UP: Readonly<Record<string, (context: MigrationContext) => Promise<void>>> = {
  "0001_registry": createRegistryTables,
  "0002_spent_nonces": createNonceTable,
  "0003_service": createServiceTables,
  "0004_task_use": addTaskUse,
  "0005_find": addFindIndexes,
  "0006_stops": addStops,
  "0007_operators": addOperators,
  "0008_ephemeral_agents": addEphemeralAgents,
  "0009_last_use": addLastUse,
  "0010_token_lifetimes": addTokenLifetimes,
  "0011_list_indexes": addListIndexes,
  "0012_kept_claims": addKeptClaims,
  "0013_token_names": addTokenNameIndex,
  "0014_thread_labels": addThreadLabels,
  "0015_token_lists": addTokenListIndexes,
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
