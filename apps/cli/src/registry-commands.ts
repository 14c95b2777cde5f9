import type { Registry } from "@countersign/agent-authority";
import type { CommandHandler } from "./program/declare.js";
import {
  printRow,
  printRows,
  type RegistryOptions,
  type Row,
  requireFound,
  withRegistry,
} from "./registry-session.js";

/** One kind of things that the registry keeps, as commands show it. */
export interface RegistryKind<Info> {
  readonly name: "agent" | "task" | "token";
  /** The code of the error when there is no such thing. */
  readonly unknown: "unknown_agent" | "unknown_task" | "invalid_request";
  /** The members that `list` prints, in order. */
  readonly columns: readonly string[];
  /** The members that belong to this kind alone; those that every kind has are added. */
  describe(info: Info): Row;
}

/** What the registry tells of everything that it keeps. */
export interface RegistryEntry {
  readonly accountId: string;
  readonly userId: string;
  readonly state: string;
  readonly createdAt: string;
  readonly expiresAt?: string | undefined;
  readonly revokedAt?: string | undefined;
}

/** Makes the command that lists what `read` finds. */
export function createListCommand<Info extends RegistryEntry, Options extends RegistryOptions>(
  kind: RegistryKind<Info>,
  read: (registry: Registry, options: Options) => Promise<readonly Info[]>,
): CommandHandler<Options> {
  return async (run, options) => {
    const found = await withRegistry(run, options, (registry) => read(registry, options));
    const rows = found.map((info) => describeEntry(kind, info));
    printRows(run, rows, kind.columns);
  };
}

/** Makes the command that looks one thing up by its id, or changes it, and shows what it is then. */
export function createEntryCommand<Info extends RegistryEntry>(
  kind: RegistryKind<Info>,
  act: (registry: Registry, id: string) => Promise<Info | undefined>,
): CommandHandler<RegistryOptions> {
  return async (run, options, [id = ""]) => {
    const found = await withRegistry(run, options, (registry) => act(registry, id));
    printRow(run, describeEntry(kind, requireFound(found, kind.name, kind.unknown)));
  };
}

function describeEntry<Info extends RegistryEntry>(kind: RegistryKind<Info>, info: Info): Row {
  return {
    ...kind.describe(info),
    account_id: info.accountId,
    user_id: info.userId,
    state: info.state,
    created_at: info.createdAt,
    expires_at: info.expiresAt,
    revoked_at: info.revokedAt,
  };
}
