import { stat } from "node:fs/promises";
import { join } from "node:path";
import type { AuthorityStore } from "@countersign/agent-authority";
import { openPrivateDirectory } from "@countersign/private-file";
import {
  type DatabaseLocation,
  type DatabaseSources,
  findDatabaseUrl,
} from "../config/database-url.js";
import type { Run } from "../config/run.js";
import { inspectHome, isSystemError } from "../home/home.js";
import { CliError } from "../text/cli-error.js";

const DATABASE_FILE = "authority.db";

/** Options of {@link openDatabase}. */
export interface OpenDatabaseOptions {
  /** Make the database where there is none. */
  readonly create: boolean;
  /** Bring a database of an earlier version up to date. Default: it is refused. */
  readonly upgrade?: boolean;
  /** What the configuration of `authority serve` says of it. */
  readonly configured?: Omit<DatabaseSources, "option"> | undefined;
}

/**
 * Opens the authority's database: the one that `--database` names, or else the configuration or the environment, or the one in the home.
 *
 * @throws {CliError} `config_invalid` when it is missing and not to be made, so that a misspelt name makes no empty registry;
 *   or if it is of an earlier version and not to be brought up to date
 */
export async function openDatabase(
  run: Run,
  option: string | undefined,
  { create, upgrade = false, configured }: OpenDatabaseOptions,
): Promise<AuthorityStore> {
  const { url, password } = await findDatabase(run, option, { create, configured });
  if (!create) await requireExisting(url);
  const { openStore } = await import("@countersign/agent-authority");
  return await openStore(url, { password, upgrade });
}

/** Finds the database that {@link openDatabase} opens. The home is looked at, or made, where the database is in it. */
export async function findDatabase(
  run: Run,
  option: string | undefined,
  { create, configured }: OpenDatabaseOptions,
): Promise<DatabaseLocation> {
  const named = await findDatabaseUrl(run.environment, { option, ...configured });
  if (named !== undefined) return named;
  await inspectHome(run.home);
  if (create) await openPrivateDirectory(run.home);
  return { url: `sqlite:${join(run.home, DATABASE_FILE)}` };
}

/**
 * Makes sure that the file of an SQLite database is there.
 *
 * @throws {CliError} `config_invalid`
 */
export async function requireExisting(url: string): Promise<void> {
  const path = /^sqlite:(?!:memory:$)(.+)$/s.exec(url)?.[1];
  if (path === undefined) return;
  const hint =
    "name the authority's database with --database or COUNTERSIGN_DATABASE_URL: sqlite:FILE or postgres://…";
  let isEmpty: boolean;
  try {
    const stats = await stat(path);
    isEmpty = stats.isFile() && stats.size === 0;
  } catch (error) {
    if (!isSystemError(error)) throw error;
    throw new CliError("config_invalid", `there is no database ${path}`, { cause: error, hint });
  }
  // No authority has ever used it: SQLite writes a first page as soon as one does.
  if (isEmpty) throw new CliError("config_invalid", `${path} is empty`, { hint });
}
