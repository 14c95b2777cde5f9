import type { Registry } from "@countersign/agent-authority";
import { toWireNames, type WireNamed } from "@countersign/agent-key";
import type { CommandHandler } from "../config/run.js";
import { parseInteger } from "../text/integer.js";
import {
  printRow,
  printRows,
  type RegistryOptions,
  type RegistryThing,
  type Row,
  requireFound,
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

/** One part of a list: what comes after an entry, or from the first one on. */
export interface ListPart<Info> {
  readonly after: Info | undefined;
  readonly limit: number;
}

const PART = 1_000;

/** Makes the command that lists what `read` finds, part by part: everything, or as many as `--limit` says. */
export function createListCommand<Info extends RegistryEntry, Options extends ListOptions>(
  kind: RegistryKind<Info>,
  read: (registry: Registry, options: Options, part: ListPart<Info>) => Promise<readonly Info[]>,
): CommandHandler<Options> {
  return async (run, options) => {
    const wanted = parseCount(options.limit, "--limit") ?? Number.POSITIVE_INFINITY;
    const found = await withRegistry(run, options, async (registry) => {
      const all: Info[] = [];
      while (all.length < wanted) {
        const limit = Math.min(PART, wanted - all.length);
        const part = await read(registry, options, { after: all.at(-1), limit });
        all.push(...part);
        if (part.length < limit) break;
      }
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

/** Makes the command that looks one thing up by its id, or changes it, and shows what it is then. */
export function createEntryCommand<Info extends RegistryEntry>(
  kind: RegistryKind<Info>,
  act: (registry: Registry, id: string) => Promise<Info | undefined>,
): CommandHandler<RegistryOptions> {
  return createChangeCommand(kind, (registry, _options, id) => act(registry, id));
}

/** As {@link createEntryCommand}, for what is named by options as well. */
export function createChangeCommand<Info extends RegistryEntry, Options extends RegistryOptions>(
  kind: RegistryKind<Info>,
  act: (registry: Registry, options: Options, id: string) => Promise<Info | undefined>,
): CommandHandler<Options> {
  return async (run, options, [id = ""]) => {
    const found = await withRegistry(run, options, (registry) => act(registry, options, id));
    const entry = requireFound(found, kind.name, kind.unknown);
    printRow(run, toRow(entry));
    // A restoration after which it is still revoked would look like one that failed.
    const isItself = entry.state !== "revoked" || entry.revokedAt !== undefined;
    if (!isItself && kind.revokedFromAbove !== undefined) run.output.note(kind.revokedFromAbove);
  };
}

/** Makes a row of an entry of the registry: its members get their names on the wire. */
export function toRow(info: object): Row {
  return { ...toWireNames(info) };
}
