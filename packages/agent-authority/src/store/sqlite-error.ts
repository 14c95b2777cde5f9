import { AgentAuthorityError } from "../agent-authority-error.js";
import { missingTable } from "./missing-table.js";

// Primary result codes, https://www.sqlite.org/rescode.html
const ERROR = 1;
const BUSY = 5;
const LOCKED = 6;
const PERM = 3;
const READONLY = 8;
const IOERR = 10;
const CORRUPT = 11;
const FULL = 13;
const CANTOPEN = 14;
const NOTADB = 26;

/**
 * Turns an error of SQLite about the file into one of ours. Returns any other error, such as a broken constraint, unchanged.
 *
 * @param path - the file that the message names. Given if a store is opened or copied, and not for queries, because their errors may reach a client
 */
export function toStoreError(error: unknown, path?: string): unknown {
  const database = path === undefined ? "the database" : `the database ${path}`;
  switch (primaryCode(error)) {
    case BUSY:
    case LOCKED:
      return new AgentAuthorityError("store_locked", `${database} is held by another process`, {
        cause: error,
        retryable: true,
        hint: "try again; if it lasts, look for a process that holds a transaction open",
      });
    case PERM:
    case READONLY:
    case CANTOPEN:
      return new AgentAuthorityError("store_denied", `${database} cannot be opened for writing`, {
        cause: error,
        hint: "check owner and mode of the file and of its folder",
      });
    case IOERR:
      return new AgentAuthorityError("store_denied", `${database} cannot be read or written`, {
        cause: error,
        hint: "look at its disk, at the system's log, and at the quota of its user",
      });
    case FULL:
      return new AgentAuthorityError("store_denied", `no space is left for ${database}`, {
        cause: error,
        hint: "free some space on its disk",
      });
    case CORRUPT:
    case NOTADB:
      return new AgentAuthorityError("store_corrupt", `${database} is not a sound SQLite file`, {
        cause: error,
        hint: "restore it from a backup, or name another file",
      });
    case ERROR:
      return isTableMissing(error) ? missingTable(error) : error;
    default:
      return error;
  }
}

/** Returns whether SQLite said that another connection holds the database. */
export function isBusy(error: unknown): boolean {
  return primaryCode(error) === BUSY;
}

// SQLite has no code for it, but this message since its first version.
function isTableMissing(error: unknown): boolean {
  return error instanceof Error && error.message.startsWith("no such table: ");
}

function primaryCode(error: unknown): number | undefined {
  if (!(error instanceof Error) || !("errcode" in error)) return undefined;
  return typeof error.errcode === "number" ? error.errcode & 0xff : undefined;
}
