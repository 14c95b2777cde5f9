import { type Kysely, sql } from "kysely";
import type { StoreKind } from "../authority-store.js";

/** What a migration works with. */
export interface MigrationContext {
  readonly db: Kysely<unknown>;
  readonly kind: StoreKind;
  /** The type of text: compared byte by byte on both databases, since times are compared as text. */
  readonly text: "text" | ReturnType<typeof sql>;
  index(name: string, table: string, columns: string[]): Promise<void>;
}

export function migrationContext(db: Kysely<unknown>, kind: StoreKind): MigrationContext {
  return {
    db,
    kind,
    text: kind === "postgres" ? sql`text collate "C"` : "text",
    index: (name, table, columns) =>
      db.schema.createIndex(name).on(table).columns(columns).execute(),
  };
}
