import fs from "node:fs";
import { type FileHandle, link, lstat, open, rename, stat } from "node:fs/promises";
import { basename, dirname } from "node:path";
import { promisify } from "node:util";
import { errnoOf } from "@countersign/agent-key/platform-fetch";
import { AgentAuthorityError } from "../agent-authority-error.js";

/** What SQLite keeps beside a file: left of another database, it would be taken for changes of the new one. */
export const SIDE_FILES = ["-wal", "-shm", "-journal"] as const;

/** Makes sure that a database is there to be copied. Throws `config_invalid`, `store_denied`. */
export async function assertBackupSource(source: string): Promise<void> {
  const stats = await ifThere(() => stat(source), source);
  if (stats?.isFile() !== true) {
    throw invalid(`there is no database ${source}`, "name the file of the authority: sqlite:FILE");
  }
  if (stats.size === 0) {
    throw invalid(`${source} is empty`, "name the file of the authority: sqlite:FILE");
  }
}

/** Makes sure that a backup may be put there, before anything is written. Throws `config_invalid`, `store_denied`. */
export async function assertBackupTarget(
  source: string,
  target: string,
  overwrite: boolean,
): Promise<void> {
  const stats = await ifThere(() => lstat(target), target);
  if (stats !== undefined) {
    // Folders may be links and files have several names, so that the paths alone do not tell.
    const original = await stat(source);
    if (stats.dev === original.dev && stats.ino === original.ino) {
      throw invalid(`${target} is the database itself`, "name another file");
    }
    if (!stats.isFile()) throw invalid(`${target} is no regular file`, "name another file");
    if (!overwrite) throw exists(target);
  }
  for (const end of SIDE_FILES) {
    const side = `${target}${end}`;
    if ((await ifThere(() => lstat(side), side)) === undefined) continue;
    throw invalid(
      `${target} is a database that is in use, or was: there is ${basename(side)}`,
      "name another file",
    );
  }
}

/** Makes the file durable and gives its size. */
export async function syncFile(path: string): Promise<number> {
  const file = await open(path, "r+");
  try {
    await sync(file);
    return (await file.stat()).size;
  } finally {
    await file.close();
  }
}

/** Puts a file that was written aside into its place, durably. */
export async function putInPlace(aside: string, target: string, overwrite: boolean): Promise<void> {
  if (overwrite) await rename(aside, target);
  else await linkIfAbsent(aside, target);
  // Windows opens no folders, and keeps their entries safe itself.
  if (process.platform === "win32") return;
  const folder = await open(dirname(target), "r");
  try {
    await sync(folder);
  } finally {
    await folder.close();
  }
}

// By its descriptor: a handle of Yarn's Plug'n'Play has no `sync`, and none that `await using` could dispose of.
async function sync({ fd }: FileHandle): Promise<void> {
  await promisify(fs.fsync)(fd);
}

// A rename would replace what another process has made there since it was looked at.
async function linkIfAbsent(aside: string, target: string): Promise<void> {
  try {
    await link(aside, target);
  } catch (error) {
    throw errnoOf(error) === "EEXIST" ? exists(target) : error;
  }
}

/** Words an error of the file system about the place of a backup; gives `undefined` for any other. */
export function toTargetError(error: unknown, target: string): AgentAuthorityError | undefined {
  const errno = errnoOf(error);
  if (errno === undefined || errno.startsWith("ERR_")) return undefined;
  if (errno === "ENOENT" || errno === "ENOTDIR") {
    return invalid(`the folder of ${target} does not exist`, "make the folder first", error);
  }
  return denied(target, error);
}

async function ifThere<T>(look: () => Promise<T>, path: string): Promise<T | undefined> {
  try {
    return await look();
  } catch (error) {
    if (errnoOf(error) === "ENOENT" || errnoOf(error) === "ENOTDIR") return undefined;
    throw denied(path, error);
  }
}

function exists(target: string): AgentAuthorityError {
  return invalid(
    `${target} exists`,
    "name a file that does not exist, or have it replaced (--force)",
  );
}

function invalid(message: string, hint: string, cause?: unknown): AgentAuthorityError {
  return new AgentAuthorityError("config_invalid", message, { hint, cause });
}

function denied(path: string, cause: unknown): AgentAuthorityError {
  return new AgentAuthorityError(
    "store_denied",
    `${path} cannot be used (${errnoOf(cause) ?? "unknown error"})`,
    { cause, hint: "check owner, mode and room of its folder" },
  );
}
