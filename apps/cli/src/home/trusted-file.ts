import { constants, type Stats } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { CliError } from "../text/cli-error.js";
import { isSystemError, reasonOf } from "./home.js";

/** What others than the owner and the group must not be allowed to do with a file. */
export type ForbiddenToOthers = "write" | "read or write";

const FORBIDDEN_MODES: Readonly<Record<ForbiddenToOthers, number>> = {
  write: 0o002,
  "read or write": 0o006,
};

/**
 * Reads a text file that decides where credentials go, or is one. A link is followed, as mounted files are links, but what it leads to
 * must be this user's, or root's, and closed to everybody.
 *
 * @param refuse - makes the error from what is wrong with the file
 * @param maxBytes - a longer file is refused. Default: no bound
 * @returns `undefined`: it does not exist
 */
export async function readTrustedFile(
  file: string,
  forbidden: ForbiddenToOthers,
  refuse: (what: string, cause?: unknown) => CliError,
  maxBytes = Number.POSITIVE_INFINITY,
): Promise<string | undefined> {
  let handle: FileHandle | undefined;
  try {
    // Non-blocking: a named pipe in its place would never open.
    handle = await open(file, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
    const stats = await handle.stat();
    const wrong = problemOf(stats, forbidden);
    if (wrong !== undefined) throw refuse(wrong);
    if (stats.size > maxBytes) throw refuse(`holds more than ${maxBytes} bytes`);
    return await handle.readFile("utf8");
  } catch (error) {
    if (isSystemError(error, "ENOENT")) return undefined;
    throw CliError.is(error) ? error : refuse(`cannot be read: ${reasonOf(error)}`, error);
  } finally {
    await handle?.close();
  }
}

function problemOf(stats: Stats, forbidden: ForbiddenToOthers): string | undefined {
  if (!stats.isFile()) return "is no file";
  const uid = process.getuid?.();
  // Where there are no such ids (Windows) the profile's own permissions protect it.
  if (uid === undefined) return undefined;
  if (stats.uid !== uid && stats.uid !== 0) return "belongs to another user";
  if ((stats.mode & FORBIDDEN_MODES[forbidden]) === 0) return undefined;
  return forbidden === "write" ? "may be written by everybody" : "is open to everybody";
}
