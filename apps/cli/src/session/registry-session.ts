import type { Registry } from "@countersign/agent-authority";
import { type Code, CountersignError } from "@countersign/agent-key";
import { escapeText } from "@countersign/agent-key/escaping";
import type { Run } from "../config/run.js";
import { readSecretSource } from "../home/secrets.js";
import { type OpenDatabaseOptions, openDatabase } from "../options/database-option.js";
import { parseBaseUrl } from "../options/http-url.js";
import { CliError, usageError } from "../text/cli-error.js";
import { formatColumns } from "../text/output.js";

/** Options of commands on the registry. */
export interface RegistryOptions {
  readonly database?: string;
  /** Base URL of the admin listener. */
  readonly authority?: string;
  readonly authorityToken?: string;
}

/**
 * Does something with the registry that the options name: of a database, on which an authority may be running, or through the admin API of
 * an authority.
 *
 * @throws {CliError} `usage` when both are named, or an authority without a token
 */
export async function withRegistry<T>(
  run: Run,
  options: RegistryOptions,
  work: (registry: Registry) => Promise<T>,
  { create }: OpenDatabaseOptions = { create: false },
): Promise<T> {
  if (options.authority !== undefined) {
    const registry = await openRemote(run, options);
    try {
      return await work(registry);
    } catch (error) {
      throw forOperators(error);
    }
  }
  if (options.authorityToken !== undefined) {
    throw usageError("--authority-token needs --authority", "add --authority URL");
  }
  await using store = await openDatabase(run, options.database, { create });
  const { createRegistry } = await import("@countersign/agent-authority");
  return await work(createRegistry(store));
}

async function openRemote(run: Run, options: RegistryOptions): Promise<Registry> {
  const { authority: url = "", authorityToken, database } = options;
  if (database !== undefined) {
    throw usageError("--authority and --database exclude each other", "name the one to work on");
  }
  if (authorityToken === undefined) {
    throw usageError(
      "--authority needs --authority-token",
      "name a token of role read or operate: env:VAR or file:PATH",
    );
  }
  const base = parseBaseUrl(run, { url, from: "--authority" });
  const token = await readSecretSource(run.environment, authorityToken, "--authority-token");
  const { remoteRegistry } = await import("@countersign/agent-authority/remote-registry");
  return remoteRegistry({ url: base, token, ...run.http });
}

// What refuses an operator's token has hints for those of humans.
function forOperators(error: unknown): unknown {
  if (!CountersignError.is(error)) return error;
  const hint = OPERATORS_HINTS[error.code];
  if (hint === undefined) return error;
  return new CliError(error.code, error.message, { cause: error, hint });
}

const OPERATORS_HINTS: Partial<Readonly<Record<Code, string>>> = {
  unauthenticated: "name a live token of role read or operate with --authority-token",
  forbidden:
    "name a token of role operate whose account and user are not revoked; or work on the database (--database)",
  invalid_request:
    "check that --authority is the admin listener (authority serve --admin-listen) of the same version",
};

/** A row as commands print it, with the members of the protocol's vocabulary. */
export type Row = Readonly<Record<string, unknown>>;

/** Prints rows: an array with `--json`, else the named columns below their names; nothing where there is no row. */
export function printRows(run: Run, rows: readonly Row[], columns: readonly string[]): void {
  run.output.result(rows, () => {
    if (rows.length === 0) return [];
    const heading = columns.map((column) => column.toUpperCase());
    const cells = rows.map((row) =>
      columns.map((column) => escapeText(String(row[column] ?? "-"))),
    );
    return formatColumns([heading, ...cells]);
  });
}

/** Prints one row: an object with `--json`, else one line for each member. */
export function printRow(run: Run, row: Row): void {
  run.output.result(row, () =>
    formatColumns(
      Object.entries(row)
        .filter(([, value]) => value !== undefined)
        .map(([name, value]) => [name, escapeText(String(value)) || "-"]),
    ),
  );
}

/** What the registry keeps. */
export type RegistryThing = "agent" | "task" | "token" | "user" | "account";

/**
 * Gives what the registry found.
 *
 * @throws {CliError} with `code` (exit 1) when it found nothing
 */
export function requireFound<T>(
  found: T | undefined,
  what: RegistryThing,
  code: "unknown_agent" | "unknown_task" | "invalid_request",
): T {
  if (found !== undefined) return found;
  throw new CliError(code, `the authority knows no such ${what}`, {
    hint: `countersign authority ${what === "token" ? what : `${what}s`} list`,
    exitCode: 1,
  });
}
