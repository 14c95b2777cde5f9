import { hash } from "node:crypto";

const names = new Map<string, string>();

/** Gives the text of a query the name that PostgreSQL keeps it by, parsed, in each connection. For texts of which there are few. */
export function nameStatement(sql: string): void {
  if (!names.has(sql)) names.set(sql, hash("sha256", sql, "hex").slice(0, 32));
}

/** The name of a query's text; `undefined` for one that is parsed each time. */
export function statementName(sql: string): string | undefined {
  return names.get(sql);
}
