import { lstat } from "node:fs/promises";
import { join, resolve } from "node:path";
import { resolveHome as resolveDirectory } from "@countersign/private-file";
import { findUserHome } from "@countersign/private-file/user-home";
import { CliError, usageError } from "../text/cli-error.js";
import type { Environment } from "./environment.js";

/** The names of what stands in the home. */
export const CONFIG_FILE = "config.toml";
/** The folder of the tasks of threads. */
export const THREADS_DIRECTORY = "threads";

/**
 * Returns the path of the home: `COUNTERSIGN_HOME`, otherwise `.countersign` in the user's folder. Reads and makes nothing.
 *
 * @throws {StoreError | CliError} `config_invalid` if the variable is a relative path, because a home must not depend on the working
 *   directory; or if it is not set, and `HOME` is empty or relative or the user has no home folder
 */
export function resolveHome(environment: Environment): string {
  const named = environment.get("COUNTERSIGN_HOME");
  if (named !== undefined) return resolveDirectory(named, "COUNTERSIGN_HOME");
  const found = findUserHome();
  if ("path" in found) return join(found.path, ".countersign");
  throw new CliError("config_invalid", found.problem, {
    hint: "set it, or COUNTERSIGN_HOME, to the absolute path of a folder of this user",
  });
}

/**
 * The absolute path that an option of the command line names. A relative path is an explicit choice there, and is taken from the working
 * directory.
 *
 * @param option - its name in errors
 * @throws {CliError} `usage` when it is empty, as a variable that is not set leaves it
 */
export function pathOption(path: string, option: string): string {
  if (path === "") throw usageError(`${option} is empty`, "name a path");
  const isBelowHome = path === "~" || path.startsWith("~/");
  return isBelowHome ? resolveDirectory(path, option) : resolve(path);
}

/**
 * Checks a home that exists before anything in it is believed: a folder, no link, of this user.
 *
 * @returns whether it exists
 * @throws {CliError} `store_denied` when it is something else, another user's, or cannot be looked at
 */
export async function inspectHome(home: string): Promise<boolean> {
  let stats: Awaited<ReturnType<typeof lstat>>;
  try {
    stats = await lstat(home);
  } catch (error) {
    if (isSystemError(error, "ENOENT")) return false;
    throw denied(home, `cannot be opened: ${reasonOf(error)}`, error);
  }
  if (stats.isSymbolicLink()) throw denied(home, "is a symbolic link");
  if (!stats.isDirectory()) throw denied(home, "is not a folder");
  const uid = process.getuid?.();
  if (uid !== undefined && stats.uid !== uid) throw denied(home, "belongs to another user");
  return true;
}

/** Returns whether an error comes from the operating system, with this code if one is named. */
export function isSystemError(error: unknown, code?: string): error is NodeJS.ErrnoException {
  if (!(error instanceof Error) || !("syscall" in error) || !("code" in error)) return false;
  return code === undefined || error.code === code;
}

/** Words an operating system's error without its path. */
export function reasonOf(error: unknown): string {
  if (!isSystemError(error)) return "unexpected error";
  const words: Readonly<Record<string, string>> = {
    EACCES: "permission denied",
    EPERM: "not permitted",
    EROFS: "read-only file system",
    ENOSPC: "no space left",
    ENOENT: "no such file or folder",
    ENOTDIR: "a part of its path is not a folder",
    EISDIR: "it is a folder",
    ELOOP: "it is a symbolic link",
  };
  const code = error.code ?? "unknown";
  return words[code] ?? code;
}

function denied(home: string, what: string, cause?: unknown): CliError {
  return new CliError("store_denied", `the home ${home} ${what}`, {
    cause,
    hint: "make it a folder of your own with mode 0700, or set COUNTERSIGN_HOME to one",
  });
}
