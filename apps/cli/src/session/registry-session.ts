import type { Registry } from "@countersign/agent-authority";
import { type Code, CountersignError } from "@countersign/agent-key";
import { escapeText } from "@countersign/agent-key/escaping";
import type { Run } from "../config/run.js";
import { readSecretSource } from "../home/secrets.js";
import { type OpenDatabaseOptions, openDatabase } from "../options/database-option.js";
import { parseBaseUrl } from "../options/http-url.js";
import { CliError, usageError } from "../text/cli-error.js";
import { formatTexts } from "../text/format-texts.js";
import { formatColumns } from "../text/output.js";
import { operatorOrigin } from "./operator-origin.js";

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
 * @param work - also gets where the registry is, in words for operators: the URL of the authority, or of the database without its password
 * @throws {CliError} `usage` when both are named, or an authority without a token
 */
export async function withRegistry<T>(
  run: Run,
  options: RegistryOptions,
  work: (registry: Registry, where: string) => Promise<T>,
  { create }: OpenDatabaseOptions = { create: false },
): Promise<T> {
  if (options.authority !== undefined) {
    const registry = await openRemote(run, options);
    try {
      return await work(registry, options.authority);
    } catch (error) {
      throw forOperators(error);
    }
  }
  if (options.authorityToken !== undefined) {
    throw usageError("--authority-token needs --authority", "add --authority URL");
  }
  await using store = await openDatabase(run, options.database, { create });
  const { createRegistry } = await import("@countersign/agent-authority");
  return await work(createRegistry(store, { origin: operatorOrigin() }), store.description);
}

async function openRemote(run: Run, options: RegistryOptions): Promise<Registry> {
  const { authority: url = "", authorityToken, database } = options;
  if (database !== undefined) {
    throw usageError("--authority and --database exclude each other", "name the one to work on");
  }
  if (authorityToken === undefined) {
    throw usageError(
      "--authority needs --authority-token",
      "name a token of an operator: env:VAR or file:PATH",
    );
  }
  const base = parseBaseUrl(run, { url, from: "--authority" });
  const token = await readSecretSource(run.environment, authorityToken, "--authority-token");
  const { remoteRegistry } = await import("@countersign/agent-authority/remote-registry");
  return remoteRegistry({ url: base, token, ...run.http });
}

// What refuses an operator's token has hints for those of humans.
function forOperators(error: unknown): unknown {
  if (!CountersignError.is(error) || CliError.is(error)) return error;
  const hint = OPERATORS_HINTS[error.code];
  if (hint === undefined) return error;
  return new CliError(error.code, error.message, { cause: error, hint });
}

/**
 * Gives the refusal to revoke a user or an account that is not known the option that revokes it all the same.
 *
 * @param where - the registry that was looked at
 */
export function toUnknownPrincipal(error: unknown, where: string): unknown {
  if (!CountersignError.is(error) || error.code !== "invalid_request") return error;
  const text = `${error.message}; ${error.hint ?? ""}`;
  const [, message, near = ""] = UNKNOWN_PRINCIPAL.exec(text) ?? [];
  if (message === undefined) return error;
  return new CliError("invalid_request", `${message}${near}`, {
    cause: error,
    hint: `check the spelling with countersign authority find, and that ${where} is the right registry; or revoke one that never came with --even-if-unknown`,
    exitCode: 1,
  });
}

const UNKNOWN_PRINCIPAL =
  /(the authority knows no [^;]+)(; known names next to it: [^;]+)?; .*even_if_unknown/;

const OPERATORS_HINTS: Partial<Readonly<Record<Code, string>>> = {
  unauthenticated: "name a live token of an operator with --authority-token",
  forbidden:
    "name a token that may do this, and whose account and user are not revoked; or work on the database (--database)",
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
      columns.map((column) => escapeText(toText(row[column] ?? "-"))),
    );
    return formatColumns([heading, ...cells]);
  });
}

/** Says on stderr that a list is empty and of which registry it is, because one of the wrong registry is empty too. */
export function noteNothing(run: Run, what: RegistryThing | "event", where: string): void {
  run.output.note(escapeText(`${where} has no such ${what}`));
}

/** Prints one row: an object with `--json`, else one line for each member. */
export function printRow(run: Run, row: Row): void {
  run.output.result(row, () => formatColumns(membersOf(row)));
}

/** Gives the members of a row as texts to print, with their names. */
export function membersOf(row: Row): readonly (readonly [name: string, text: string])[] {
  return Object.entries(row)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => [name, escapeText(toText(value)) || "-"]);
}

function toText(value: unknown): string {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return String(value);
  return formatTexts(value) ?? countsOf(value);
}

// Such as `2 agents, 5 tasks, 1 token` for what a revocation stopped.
function countsOf(counts: object): string {
  return Object.entries(counts)
    .map(([names, count]) => `${count} ${count === 1 ? names.replace(/s$/, "") : names}`)
    .join(", ");
}

/** What the registry keeps. */
export type RegistryThing = "agent" | "task" | "token" | "user" | "account";

/**
 * Gives what the registry found.
 *
 * @param where - the registry that was looked at
 * @throws {CliError} with `code` (exit 1) when it found nothing
 */
export function requireFound<T>(
  found: T | undefined,
  what: RegistryThing,
  code: "unknown_agent" | "unknown_task" | "invalid_request",
  where: string,
): T {
  if (found !== undefined) return found;
  throw new CliError(code, `${where} has no such ${what}`, {
    hint: "look for it by what you have: countersign authority find TEXT; or name another registry with --database or --authority",
    exitCode: 1,
  });
}
