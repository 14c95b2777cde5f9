import { AgentAuthorityError } from "../agent-authority-error.js";
import { loadSqlite } from "./load-sqlite.js";

/**
 * Makes sure that an existing file is a database of an authority, or an empty one, before anything of it is changed: its mode, its
 * journal, its tables. A misspelt name then costs the other program that owns the file nothing.
 *
 * Asks SQLite and not the file itself: opening and closing that would drop the locks of this process's other connections.
 *
 * @throws {AgentAuthorityError} `store_corrupt` when it is a database of another program
 * @throws SQLite's own error when it is no database
 */
export function assertOwnDatabase(path: string, timeoutMs: number): void {
  const { DatabaseSync: Sqlite } = loadSqlite();
  const database = new Sqlite(path, { readOnly: true, timeout: timeoutMs });
  try {
    const { tables, ours } = database
      .prepare(
        "select count(*) as tables, count(*) filter (where name = 'kysely_migration') as ours from sqlite_schema where type = 'table'",
      )
      .get() as { readonly tables: number; readonly ours: number };
    if (tables === 0 || ours > 0) return;
  } finally {
    database.close();
  }
  throw new AgentAuthorityError("store_corrupt", `${path} is a database of another program`, {
    hint: "name the file of the authority, or one that does not exist yet",
  });
}
