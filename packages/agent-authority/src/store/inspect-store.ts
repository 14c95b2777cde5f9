import { Kysely } from "kysely";
import { AgentAuthorityError } from "../agent-authority-error.js";
import { assertOwnDatabase } from "./assert-own-database.js";
import type { Database } from "./database.js";
import { loadSqlite } from "./load-sqlite.js";
import type { OpenStoreOptions } from "./open-store.js";
import { createPostgresDialect } from "./postgres-dialect.js";
import { findSchema, MIGRATIONS } from "./postgres-migration.js";
import { requestPatience } from "./postgres-patience.js";
import { readSchemaState, type SchemaState, SQLITE_MIGRATIONS } from "./schema-state.js";
import { createSqliteDialect } from "./sqlite-dialect.js";
import { toStoreError } from "./sqlite-error.js";
import { describeStoreUrl, parseStoreUrl } from "./store-url.js";

const BUSY_TIMEOUT_MS = 5_000;

/** The state of a database of an authority. */
interface StoreStatus extends SchemaState {
  /** The URL, without a password. */
  readonly description: string;
}

/**
 * Looks which migrations a database has, and which ones of this version it lacks. Makes no database and changes no table, also while authorities
 * work on it. Beside a file of SQLite that no process has open, it leaves an empty `-wal` and a `-shm`, which the next store removes.
 *
 * @param url - as for {@link openStore}, but not in memory
 * @throws {AgentAuthorityError} `config_invalid` when the URL is of another form, or names a database in memory; `store_denied` when the
 *   database is not there or cannot be read; `store_corrupt` when it is no database of an authority; `store_locked`, `unreachable`
 */
export async function inspectStore(
  url: string,
  { password }: Pick<OpenStoreOptions, "password"> = {},
): Promise<StoreStatus> {
  const location = parseStoreUrl(url);
  const description = describeStoreUrl(url);
  if (location.kind === "memory") {
    throw new AgentAuthorityError("config_invalid", "a database in memory has no status", {
      hint: "name the file: sqlite:FILE",
    });
  }
  if (location.kind === "postgres") {
    const patience = requestPatience(location.url);
    const dialect = createPostgresDialect(location.url, { maxConnections: 1, patience, password });
    await using rows = new Kysely<Database>({ dialect });
    const schema = await findSchema(rows);
    const state = await readSchemaState(rows, "postgres", { name: MIGRATIONS, schema });
    return { description, ...state };
  }
  await using rows = openReadOnly(location.path);
  return { description, ...(await readSchemaState(rows, "sqlite", { name: SQLITE_MIGRATIONS })) };
}

function openReadOnly(path: string): Kysely<Database> {
  const { DatabaseSync: Sqlite } = loadSqlite();
  try {
    assertOwnDatabase(path, BUSY_TIMEOUT_MS);
    const database = new Sqlite(path, { readOnly: true, timeout: BUSY_TIMEOUT_MS });
    return new Kysely<Database>({ dialect: createSqliteDialect(database) });
  } catch (error) {
    throw AgentAuthorityError.is(error) ? error : toStoreError(error, path);
  }
}
