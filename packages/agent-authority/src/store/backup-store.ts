import { randomBytes } from "node:crypto";
import { open, rm } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import type { DatabaseSync } from "node:sqlite";
import { AgentAuthorityError } from "../agent-authority-error.js";
import { checkOption } from "../option-checks.js";
import { assertOwnDatabase } from "./assert-own-database.js";
import {
  assertBackupSource,
  assertBackupTarget,
  putInPlace,
  SIDE_FILES,
  syncFile,
  toTargetError,
} from "./backup-target.js";
import { loadSqlite } from "./load-sqlite.js";
import { toStoreError } from "./sqlite-error.js";
import { parseStoreUrl } from "./store-url.js";

const BUSY_TIMEOUT_MS = 5_000;
const PAGES_AT_ONCE = 256;

/** Options of {@link backupStore}. */
export interface BackupStoreOptions {
  /** Replace a file that is there. Default false. */
  readonly overwrite?: boolean | undefined;
  /** Called after each step, with pages of the database. */
  readonly onProgress?: ((copiedPages: number, totalPages: number) => void) | undefined;
  /** Stops between two steps; nothing is left behind. */
  readonly signal?: AbortSignal | undefined;
}

/** A backup that is on disk. */
export interface StoreBackup {
  /** The absolute path. */
  readonly file: string;
  readonly bytes: number;
}

/**
 * Copies an SQLite database of an authority into one file while authorities go on working on it, with SQLite's online backup.
 *
 * The file holds everything that was committed when the copy began, and nothing of what came later. It is written aside (0600), checked
 * (`integrity_check`), made durable and put into its place whole. To restore it, start an authority on it, or put it where the database was
 * while no process has that open.
 *
 * @param url - `sqlite:FILE`
 * @param file - where the backup goes; its folder must exist
 * @throws {AgentAuthorityError} `config_invalid` when there is no such database, when it is not in a file, or when `file` exists or is a
 *   database in use; `store_corrupt` when the database is not whole, or another program's; `store_denied`; `store_locked`
 */
export async function backupStore(
  url: string,
  file: string,
  options: BackupStoreOptions = {},
): Promise<StoreBackup> {
  checkOption("file", file, { type: "text", expected: "the path of a file" });
  const { overwrite = false, signal } = options;
  const source = sourceOf(url);
  const target = resolve(file);
  await assertBackupSource(source);
  await assertBackupTarget(source, target, overwrite);
  const aside = join(dirname(target), `.${basename(target)}.${randomBytes(8).toString("hex")}`);
  try {
    await (await open(aside, "wx", 0o600)).close();
    await copy(source, aside, options);
    assertWhole(aside);
    const bytes = await syncFile(aside);
    signal?.throwIfAborted();
    await putInPlace(aside, target, overwrite);
    return { file: target, bytes };
  } catch (error) {
    if (AgentAuthorityError.is(error) || (signal?.aborted && error === signal.reason)) throw error;
    throw toTargetError(error, target) ?? toStoreError(error, source);
  } finally {
    for (const end of ["", ...SIDE_FILES]) await rm(`${aside}${end}`, { force: true });
  }
}

function sourceOf(url: string): string {
  const location = parseStoreUrl(url);
  if (location.kind === "file") return location.path;
  const [message, hint] =
    location.kind === "memory"
      ? ["a database in memory has no backup", "name the file: sqlite:FILE"]
      : [
          "PostgreSQL has a tool of its own for this",
          "pg_dump --format=custom --file OUT DATABASE",
        ];
  throw new AgentAuthorityError("config_invalid", message, { hint });
}

async function copy(source: string, aside: string, options: BackupStoreOptions): Promise<void> {
  const { onProgress, signal } = options;
  assertOwnDatabase(source, BUSY_TIMEOUT_MS);
  const { backup, DatabaseSync: Sqlite } = loadSqlite();
  const database = new Sqlite(source, { timeout: BUSY_TIMEOUT_MS });
  try {
    holdSnapshot(database);
    await backup(database, aside, {
      rate: PAGES_AT_ONCE,
      progress({ totalPages, remainingPages }) {
        signal?.throwIfAborted();
        onProgress?.(totalPages - remainingPages, totalPages);
      },
    });
  } finally {
    database.close();
  }
}

// Without a read snapshot of its own, the copy would start again at each commit of another process, and under load it would never end.
function holdSnapshot(database: DatabaseSync): void {
  database.exec("begin");
  database.prepare("select count(*) from sqlite_schema").get();
}

function assertWhole(aside: string): void {
  const { DatabaseSync: Sqlite } = loadSqlite();
  const database = new Sqlite(aside);
  try {
    const row = database.prepare("pragma integrity_check(1)").get();
    if (row?.integrity_check === "ok") return;
  } finally {
    database.close();
  }
  throw new AgentAuthorityError("store_corrupt", "the copy is not whole: the database is damaged", {
    hint: "restore an earlier backup, and look at the disk",
  });
}
