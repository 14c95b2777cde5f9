import type { DatabaseSync } from "node:sqlite";
import { setTimeout as wait } from "node:timers/promises";
import { Kysely, sql } from "kysely";
import { CLOCK, checkOptions } from "../option-checks.js";
import { assertOwnDatabase } from "./assert-own-database.js";
import { AuthorityStore } from "./authority-store.js";
import type { Database } from "./database.js";
import { transactInGroups } from "./group-commit.js";
import { loadSqlite } from "./load-sqlite.js";
import { migrate } from "./migrate.js";
import { createPostgresDialect, type DatabasePassword, POOL_SIZE } from "./postgres-dialect.js";
import { findSchema, MIGRATIONS, migrateSchema } from "./postgres-migration.js";
import { migrationPatience, requestPatience, tableLockTimeout } from "./postgres-patience.js";
import { findDatabaseFile, tightenDatabaseFile } from "./prepare-database-file.js";
import { isUpToDate, readSchemaState, SQLITE_MIGRATIONS } from "./schema-state.js";
import { createSqliteDialect } from "./sqlite-dialect.js";
import { isBusy, toStoreError } from "./sqlite-error.js";
import type { StoreEvents } from "./store-events.js";
import { describeStoreUrl, parseStoreUrl, type SqliteLocation } from "./store-url.js";
import { transactAlone } from "./transact.js";

const BUSY_TIMEOUT_MS = 5_000;
const BUSY_PAUSE_MS = 20;

/** Options of {@link openStore}. */
export interface OpenStoreOptions {
  /** The clock of everything that uses the store and is given none of its own, epoch milliseconds. Default `Date.now`. */
  readonly now?: (() => number) | undefined;
  /**
   * Gives the password of PostgreSQL. Called for each new connection whose server wants one, so that a rotated password is taken up. Default:
   * the URL's, else `PGPASSWORD`, else that of `.pgpass`.
   */
  readonly password?: (() => string | Promise<string>) | undefined;
  /**
   * Bring the tables of an earlier version up to date. Default true. With false such a database is refused, so that a command of a newer version
   * changes nothing below an authority that runs on it; a new database gets its tables all the same.
   */
  readonly upgrade?: boolean | undefined;
}

/**
 * Opens the database of an authority, makes its tables where there are none, and brings them up to date.
 *
 * Any number of processes may open one database at the same time. A new SQLite file is readable by its owner alone, and an existing one is
 * tightened to that; a file that is no database, or another program's, stays as it is. Commits are on disk when they return: SQLite in WAL
 * mode with `synchronous=FULL`, PostgreSQL with `synchronous_commit` (switched on for the authority's connections where it is off).
 *
 * @param url - `sqlite:FILE`, where FILE is absolute or relative to the working directory; `sqlite::memory:`; or
 *   `postgres://USER:PASSWORD@HOST:PORT/DATABASE` with the parameters of `pg`, where the tables stand in the first schema of the search path.
 *   A pooler may stand before PostgreSQL, PgBouncer in transaction mode too. A socket is named by its folder: `?host=/run/postgresql`
 * @throws {AgentAuthorityError} `config_invalid` when the URL is of another form, names several hosts or a missing certificate file, or its folder does not exist,
 *   or the database is of an earlier version and `upgrade` is false; `store_denied` when the
 *   file belongs to another user or cannot be written, or PostgreSQL does not let the user in; `store_locked` when another process holds it
 *   for more than 5 s, or brings it up to date for more than 60 s; `store_corrupt` when it is no database of an authority, or of a newer version; `unreachable` when PostgreSQL does not answer
 */
export async function openStore(
  url: string,
  options: OpenStoreOptions = {},
): Promise<AuthorityStore> {
  const location = parseStoreUrl(url);
  checkOptions(options, {
    now: CLOCK,
    password: { type: "function", expected: "a function that gives a password", optional: true },
    upgrade: { type: "boolean", expected: "true or false", optional: true },
  });
  const { now = Date.now, password, upgrade = true } = options;
  const description = describeStoreUrl(url);
  const events: StoreEvents = {};
  if (location.kind === "postgres") {
    await migratePostgres(location.url, upgrade, password);
    const dialect = createPostgresDialect(location.url, {
      maxConnections: POOL_SIZE,
      patience: requestPatience(location.url),
      password,
      onPool(read) {
        events.readPool = read;
      },
    });
    const rows = new Kysely<Database>({ dialect });
    // Kysely starts its driver with the first query, and one that never started would start even after it was destroyed.
    await sql`select 1`.execute(rows);
    return new AuthorityStore({
      description,
      kind: "postgres",
      rows,
      transact: transactAlone(rows),
      now,
      events,
    });
  }
  const database = await openDatabase(location);
  const rows = new Kysely<Database>({ dialect: createSqliteDialect(database) });
  try {
    const table = { name: SQLITE_MIGRATIONS };
    const isReady = !upgrade && isUpToDate(await readSchemaState(rows, "sqlite", table));
    if (!isReady) await migrate(rows, "sqlite");
  } catch (error) {
    await rows.destroy();
    throw error;
  }
  return new AuthorityStore({
    description,
    kind: "sqlite",
    rows,
    transact: transactInGroups(rows, (size) => events.observer?.groupCommitted(size)),
    now,
    events,
  });
}

// With a connection of its own, which waits for other processes' migrations, and longer for a statement than a request does.
async function migratePostgres(
  url: string,
  upgrade: boolean,
  password?: DatabasePassword,
): Promise<void> {
  const patience = migrationPatience(url);
  const dialect = createPostgresDialect(url, { maxConnections: 1, patience, password });
  const rows = new Kysely<Database>({ dialect });
  try {
    const schema = await findSchema(rows);
    const table = { name: MIGRATIONS, schema };
    if (!upgrade && isUpToDate(await readSchemaState(rows, "postgres", table))) return;
    await migrateSchema(rows, { schema, lockTimeout: tableLockTimeout(url) });
  } finally {
    await rows.destroy();
  }
}

async function openDatabase(location: SqliteLocation): Promise<DatabaseSync> {
  const { DatabaseSync: Sqlite } = loadSqlite();
  const path = location.kind === "file" ? location.path : undefined;
  let database: DatabaseSync | undefined;
  try {
    if (path !== undefined && (await findDatabaseFile(path))) {
      await whenFree(() => assertOwnDatabase(path, BUSY_TIMEOUT_MS));
      await tightenDatabaseFile(path);
    }
    const opened = new Sqlite(path ?? ":memory:", {
      timeout: BUSY_TIMEOUT_MS,
      enableForeignKeyConstraints: true,
    });
    database = opened;
    await whenFree(() => opened.exec("pragma journal_mode = wal"));
    opened.exec("pragma synchronous = full; pragma trusted_schema = off");
    return opened;
  } catch (error) {
    database?.close();
    throw toStoreError(error, path);
  }
}

// Two processes that both turn a new file to WAL would wait for each other for ever, so SQLite answers "busy" at once, time-out or not.
async function whenFree(run: () => void): Promise<void> {
  for (let waitedMs = 0; ; waitedMs += BUSY_PAUSE_MS) {
    try {
      run();
      return;
    } catch (error) {
      if (!isBusy(error) || waitedMs >= BUSY_TIMEOUT_MS) throw error;
    }
    await wait(BUSY_PAUSE_MS);
  }
}
