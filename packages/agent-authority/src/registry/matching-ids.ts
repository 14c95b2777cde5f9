import { type RawBuilder, type SqlBool, sql } from "kysely";
import type { UsePlace } from "./list-entries.js";

/** Which rows a search is for, by their ids. */
export type IdMatch = { readonly prefix: string } | { readonly ids: readonly string[] };

// Follows every text that begins with what stands before it, compared byte by byte as both databases do.
const LAST = "\u{10ffff}";

/** The condition that a column holds an id that is searched for. It is one that an index of the column answers. */
export function matches(column: string, match: IdMatch): RawBuilder<SqlBool> {
  const ref = sql.ref(column);
  if ("prefix" in match) {
    return sql`(${ref} >= ${match.prefix} and ${ref} < ${match.prefix + LAST})`;
  }
  return sql`${ref} in (${sql.join(match.ids)})`;
}

/** Where a list by ids begins. A query with it finds the first row by the index of the ids, as every later one. */
export function edgeOf(order: "asc" | "desc"): string {
  return order === "asc" ? "" : LAST;
}

/** The condition that a last use is before another one, or is at all: one that the index of last uses answers. */
export function beforeUse(
  column: string,
  { used_at, id }: UsePlace = { used_at: LAST, id: "" },
): RawBuilder<SqlBool> {
  return sql`(used_at, ${sql.ref(column)}) < (${used_at}, ${id})`;
}
