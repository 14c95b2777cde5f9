import { chmod, open, stat } from "node:fs/promises";
import { errnoOf } from "@countersign/agent-key/platform-fetch";
import { AgentAuthorityError } from "../agent-authority-error.js";

const OWNER_ONLY = 0o600;

/**
 * Makes the file of a database, owner-only, where there is none, and looks at who owns the one that is there. SQLite gives its side files
 * the mode of the file.
 *
 * The file is never opened here where it exists: closing it would drop the locks that another connection of this process holds on it.
 *
 * @returns whether it was there
 */
export async function findDatabaseFile(path: string): Promise<boolean> {
  try {
    if (await createIfAbsent(path)) return false;
    const stats = await stat(path);
    if (!stats.isFile()) throw denied(`the database ${path} is not a regular file`);
    const user = process.getuid?.();
    if (user !== undefined && user !== 0 && stats.uid !== user) {
      throw denied(`the database ${path} belongs to another user`);
    }
    return true;
  } catch (error) {
    throw AgentAuthorityError.is(error) ? error : toFileError(error, path);
  }
}

/** Takes the file of a database and its side files from everybody but their owner. */
export async function tightenDatabaseFile(path: string): Promise<void> {
  if (process.getuid === undefined) return;
  try {
    if (((await stat(path)).mode & 0o077) === 0) return;
    for (const file of [path, `${path}-wal`, `${path}-shm`]) await tighten(file);
  } catch (error) {
    throw toFileError(error, path);
  }
}

async function createIfAbsent(path: string): Promise<boolean> {
  try {
    const file = await open(path, "wx", OWNER_ONLY);
    await file.close();
    return true;
  } catch (error) {
    if (errnoOf(error) === "EEXIST") return false;
    throw error;
  }
}

async function tighten(path: string): Promise<void> {
  try {
    await chmod(path, OWNER_ONLY);
  } catch (error) {
    // The side files come and go with the connections.
    if (errnoOf(error) !== "ENOENT") throw error;
  }
}

function toFileError(error: unknown, path: string): AgentAuthorityError {
  const errno = errnoOf(error);
  if (errno === "ENOENT" || errno === "ENOTDIR") {
    return new AgentAuthorityError(
      "config_invalid",
      `the folder of the database ${path} does not exist`,
      {
        cause: error,
        hint: "make the folder first, or name another file",
      },
    );
  }
  return denied(`the database ${path} cannot be opened (${errno ?? "unknown error"})`, error);
}

function denied(message: string, cause?: unknown): AgentAuthorityError {
  return new AgentAuthorityError("store_denied", message, {
    cause,
    hint: "check owner and mode of the file and of its folder",
  });
}
