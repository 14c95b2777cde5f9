import type { Registry } from "@countersign/agent-authority";
import { toWireNames, type WireNamed } from "@countersign/agent-key";
import type { CommandHandler } from "../config/run.js";
import { usageError } from "../text/cli-error.js";
import { parseInteger } from "../text/integer.js";
import {
  noteNothing,
  printRow,
  printRows,
  type RegistryOptions,
  type RegistryThing,
  type Row,
  requireFound,
  toUnknownPrincipal,
  withRegistry,
} from "./registry-session.js";

/** One kind of things that the registry keeps, as commands show it. */
export interface RegistryKind<Info> {
  readonly name: RegistryThing;
  /** The code of the error when there is no such thing. */
  readonly unknown: "unknown_agent" | "unknown_task" | "invalid_request";
  /** The members that `list` prints, in order. */
  readonly columns: readonly (keyof WireNamed<Info> & string)[];
  /** The note about an entry that is revoked because an entry above it is revoked. */
  readonly revokedFromAbove?: string;
}

/** The members that every entry of the registry has and that the commands read. */
export interface RegistryEntry {
  readonly state: string;
  readonly revokedAt?: string | undefined;
}

/** Options of commands that list. */
export interface ListOptions extends RegistryOptions {
  readonly limit?: string;
}

/** Options of commands that revoke or restore. */
export interface ChangeOptions extends RegistryOptions {
  readonly reason?: string;
}

/** Options of commands that revoke a user or an account. */
export interface RevokePrincipalOptions extends ChangeOptions {
  readonly evenIfUnknown?: boolean;
}

/** One part of a list: what comes after an entry, or from the first one on. */
export interface ListPart<Info> {
  readonly after: Info | undefined;
  readonly limit: number;
  /** When the list was asked for, epoch milliseconds: the same for all of its parts. */
  readonly nowMs: number;
}

const PART = 1_000;
const MAX_REASON = 512;

/** Makes the command that lists what `read` finds, part by part: everything, or as many as `--limit` says. */
export function createListCommand<Info extends RegistryEntry, Options extends ListOptions>(
  kind: RegistryKind<Info>,
  read: (registry: Registry, options: Options, part: ListPart<Info>) => Promise<readonly Info[]>,
): CommandHandler<Options> {
  return async (run, options) => {
    const wanted = parseCount(options.limit, "--limit") ?? Number.POSITIVE_INFINITY;
    const nowMs = Date.now();
    const found = await withRegistry(run, options, async (registry, where) => {
      const all: Info[] = [];
      while (all.length < wanted) {
        const limit = Math.min(PART, wanted - all.length);
        const part = await read(registry, options, { after: all.at(-1), limit, nowMs });
        all.push(...part);
        if (part.length < limit) break;
      }
      if (all.length === 0) noteNothing(run, kind.name, where);
      return all;
    });
    printRows(run, found.map(toRow), kind.columns);
  };
}

/**
 * Reads a number of things.
 *
 * @throws {CliError} `usage` unless it is an integer from 1 to a million
 */
export function parseCount(text: string | undefined, option: string): number | undefined {
  if (text === undefined) return undefined;
  return parseInteger(text, option, { min: 1, max: 1_000_000 });
}

/** Why something is done, as the registry takes it. */
export interface Reason {
  readonly reason: string | undefined;
}

/** Makes the command that looks one thing up by its id, or changes it, and shows what it is then. */
export function createEntryCommand<Info extends RegistryEntry>(
  kind: RegistryKind<Info>,
  act: (registry: Registry, id: string, reason: Reason) => Promise<Info | undefined>,
): CommandHandler<ChangeOptions> {
  return createChangeCommand(kind, (registry, { reason }, id) => act(registry, id, { reason }));
}

/** As {@link createEntryCommand}, for what is named by options as well. */
export function createChangeCommand<Info extends RegistryEntry, Options extends ChangeOptions>(
  kind: RegistryKind<Info>,
  act: (registry: Registry, options: Options, id: string) => Promise<Info | undefined>,
): CommandHandler<Options> {
  return async (run, options, [id = ""]) => {
    checkReason(options.reason);
    const entry = await withRegistry(run, options, async (registry, where) => {
      try {
        const found = await act(registry, options, id);
        return requireFound(found, kind.name, kind.unknown, where);
      } catch (error) {
        throw toUnknownPrincipal(error, where);
      }
    });
    printRow(run, toRow(entry));
    // A restoration after which it is still revoked would look like one that failed.
    const isItself = entry.state !== "revoked" || entry.revokedAt !== undefined;
    if (!isItself && kind.revokedFromAbove !== undefined) run.output.note(kind.revokedFromAbove);
  };
}

/**
 * Checks what is given as a reason.
 *
 * @throws {CliError} `usage` if it is empty or too long
 */
export function checkReason(reason: string | undefined): void {
  if (reason === undefined || (reason.length > 0 && reason.length <= MAX_REASON)) return;
  throw usageError("--reason cannot be kept", `use 1 to ${MAX_REASON} characters`);
}

/** Makes a row of an entry of the registry: its members get their names on the wire. */
export function toRow(info: object): Row {
  return { ...toWireNames(info) };
}
