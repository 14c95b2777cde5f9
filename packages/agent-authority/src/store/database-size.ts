import { stat } from "node:fs/promises";
import { sql } from "kysely";
import type { AuthorityStore } from "./authority-store.js";

/**
 * Returns how many bytes the database takes: on PostgreSQL with its indexes, on SQLite the file and its write-ahead log. `undefined` for a database in
 * memory.
 */
export async function databaseSize({ kind, rows }: AuthorityStore): Promise<number | undefined> {
  if (kind === "postgres") {
    const { rows: found } = await sql<{
      bytes: string;
    }>`select pg_database_size(current_database()) as bytes`.execute(rows);
    return Number(found[0]?.bytes);
  }
  const { rows: found } = await sql<{
    file: string;
  }>`select file from pragma_database_list where name = 'main'`.execute(rows);
  const file = found[0]?.file ?? "";
  if (file === "") return undefined;
  const sizes = await Promise.all([file, `${file}-wal`].map(fileSize));
  return sizes.reduce((sum, size) => sum + size, 0);
}

async function fileSize(path: string): Promise<number> {
  const found = await stat(path).catch(() => undefined);
  // The log is there only while the database is in use.
  return found?.size ?? 0;
}
