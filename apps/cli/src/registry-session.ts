import { createRegistry, type Registry } from "@countersign/agent-authority";
import { CliError } from "./cli-error.js";
import { type OpenDatabaseOptions, openDatabase } from "./database-option.js";
import { formatColumns } from "./output.js";
import type { Run } from "./run.js";

/** Options of commands on the registry. */
export interface RegistryOptions {
  readonly database?: string;
}

/** Does something with the registry of the database that the options name; an authority may be running on it. */
export async function withRegistry<T>(
  run: Run,
  options: RegistryOptions,
  work: (registry: Registry) => Promise<T>,
  { create }: OpenDatabaseOptions = { create: false },
): Promise<T> {
  const store = await openDatabase(run, options.database, { create });
  try {
    return await work(createRegistry(store));
  } finally {
    await store.close();
  }
}

/** A row as commands print it, with the members of the protocol's vocabulary. */
export type Row = Readonly<Record<string, string | readonly string[] | boolean | undefined>>;

/** Prints rows: an array with `--json`, else the named columns. */
export function printRows(run: Run, rows: readonly Row[], columns: readonly string[]): void {
  run.output.result(rows, () =>
    formatColumns(rows.map((row) => columns.map((column) => String(row[column] ?? "-")))),
  );
}

/** Prints one row: an object with `--json`, else one line for each member. */
export function printRow(run: Run, row: Row): void {
  run.output.result(row, () =>
    formatColumns(
      Object.entries(row)
        .filter(([, value]) => value !== undefined)
        .map(([name, value]) => [name, String(value)]),
    ),
  );
}

/**
 * Gives what the registry found.
 *
 * @throws {CliError} with `code` (exit 1) when it found nothing
 */
export function requireFound<T>(
  found: T | undefined,
  what: "agent" | "task" | "token",
  code: "unknown_agent" | "unknown_task" | "invalid_request",
): T {
  if (found !== undefined) return found;
  throw new CliError(code, `the authority knows no such ${what}`, {
    hint: `countersign authority ${what === "token" ? what : `${what}s`} list`,
    exitCode: 1,
  });
}
