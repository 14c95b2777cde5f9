import { inspectStore } from "@countersign/agent-authority";
import type { Run } from "../../config/run.js";
import { findDatabase, openDatabase, requireExisting } from "../../options/database-option.js";

/** Options of `authority migrate` and `authority status`. */
export interface MigrateAuthorityOptions {
  readonly database?: string;
}

/** `authority status`: whether the database has the tables of this version. Changes nothing. */
export async function showStatus(run: Run, options: MigrateAuthorityOptions): Promise<void> {
  const { description, applied, pending, unknown } = await inspect(run, options);
  const state =
    unknown.length > 0 ? "newer" : pending.length === 0 ? "up_to_date" : ("earlier" as const);
  run.output.result({ database: description, state, applied, pending, unknown }, () => [
    `${description}: ${TEXTS[state]}`,
    ...pending.map((name) => `  missing: ${name}`),
    ...unknown.map((name) => `  not known to this version: ${name}`),
  ]);
  if (state === "earlier") run.output.note("countersign authority migrate brings it up to date");
}

const TEXTS = {
  up_to_date: "up to date",
  earlier: "of an earlier version, or new",
  newer: "of a newer version",
} as const;

/** `authority migrate`: brings the tables of the database up to date, and prints which migrations that took. */
export async function migrateAuthority(run: Run, options: MigrateAuthorityOptions): Promise<void> {
  const { description, pending } = await inspect(run, options);
  const store = await openDatabase(run, options.database, { create: false, upgrade: true });
  await store.close();
  run.output.result({ database: description, migrated: pending }, () => [
    `${description}: up to date`,
    ...pending.map((name) => `  migrated: ${name}`),
  ]);
}

async function inspect(run: Run, { database }: MigrateAuthorityOptions) {
  const { url, password } = await findDatabase(run, database, { create: false });
  await requireExisting(url);
  return await inspectStore(url, { password });
}
