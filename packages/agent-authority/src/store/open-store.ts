import type { DatabaseSync } from "node:sqlite";
import { setTimeout as wait } from "node:timers/promises";
import { Kysely } from "kysely";
import { Migrator } from "kysely/migration";
import { AgentAuthorityError } from "../agent-authority-error.js";
import { assertOwnDatabase } from "./assert-own-database.js";
import { AuthorityStore } from "./authority-store.js";
import type { Database } from "./database.js";
import { loadSqlite } from "./load-sqlite.js";
import { createMigrations } from "./migrations.js";
import { findDatabaseFile, tightenDatabaseFile } from "./prepare-database-file.js";
import { createSqliteDialect } from "./sqlite-dialect.js";
import { isBusy, toStoreError } from "./sqlite-error.js";
import { parseStoreUrl, type StoreLocation } from "./store-url.js";

const BUSY_TIMEOUT_MS = 5_000;
const BUSY_PAUSE_MS = 20;

/** Options of {@link openStore}. */
export interface OpenStoreOptions {
  /** The clock of everything that uses the store and is given none of its own, epoch milliseconds. Default `Date.now`. */
  readonly now?: (() => number) | undefined;
}

/**
 * Opens the database of an authority, makes it where there is none, and brings its tables up to date.
 *
 * Several processes may open one file at the same time. A new file is readable by its owner alone, and an existing one is tightened
 * to that; a file that is no database, or another program's, stays as it is. Commits are on disk when they return (WAL, `synchronous=FULL`).
 *
 * @param url - `sqlite:FILE`, where FILE is absolute or relative to the working directory, or `sqlite::memory:`
 * @throws {AgentAuthorityError} `config_invalid` when the URL is of another form or its folder does not exist; `store_denied` when the
 *   file belongs to another user or cannot be written; `store_locked` when another process holds it for more than 5 s; `store_corrupt`
 *   when it is no database of an authority, or of a newer version
 */
export async function openStore(
  url: string,
  options: OpenStoreOptions = {},
): Promise<AuthorityStore> {
  const location = parseStoreUrl(url);
  const database = await openDatabase(location);
  const rows = new Kysely<Database>({ dialect: createSqliteDialect(database) });
  try {
    await migrate(rows);
  } catch (error) {
    await rows.destroy();
    throw error;
  }
  return new AuthorityStore(url, rows, options.now ?? Date.now);
}

async function openDatabase(location: StoreLocation): Promise<DatabaseSync> {
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

async function migrate(rows: Kysely<Database>): Promise<void> {
  const migrator = new Migrator({
    db: rows,
    provider: { getMigrations: async () => createMigrations() },
  });
  const { error } = await migrator.migrateToLatest();
  if (error === undefined) return;
  if (AgentAuthorityError.is(error)) throw error;
  throw new AgentAuthorityError(
    "store_corrupt",
    "the database is not one of this authority, or of a newer version",
    { cause: error, hint: "update countersign, or name another file" },
  );
}
