import type { Compilable, CompiledQuery } from "kysely";
import type { Rows } from "./authority-store.js";
import { nameStatement } from "./statement-names.js";

/** Runs a query with these values. */
export type PreparedQuery<V, R> = (rows: Rows, values: V) => Promise<readonly R[]>;

/** Stands in a query for a value that each run gives. */
class Placeholder {
  readonly name: string;

  constructor(name: string) {
    this.name = name;
  }
}

/**
 * Makes a query that is built and compiled once for each database, at its first run, and that PostgreSQL parses once for each connection.
 *
 * Its text is the same in each run, so it has no condition that depends on a value. It names its columns: PostgreSQL refuses a parsed
 * `select *` once a newer version has added a column.
 *
 * @param build - is given a placeholder for each value
 */
export function prepareQuery<V extends object, R>(
  build: (rows: Rows, value: V) => Compilable<R>,
): PreparedQuery<V, R> {
  const value = new Proxy({}, { get: (_, name) => new Placeholder(String(name)) }) as V;
  // The adapter is one object for each open store, in and outside of its transactions.
  const compiled = new WeakMap<object, CompiledQuery<R>>();
  return async (rows, values) => {
    const { adapter } = rows.getExecutor();
    let query = compiled.get(adapter);
    if (query === undefined) {
      query = build(rows, value).compile();
      compiled.set(adapter, query);
      nameStatement(query.sql);
    }
    const parameters = query.parameters.map((parameter) =>
      parameter instanceof Placeholder ? values[parameter.name as keyof V] : parameter,
    );
    const { rows: found } = await rows.executeQuery<R>({ ...query, parameters });
    return found;
  };
}
