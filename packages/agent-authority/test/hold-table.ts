import { DatabaseSync } from "node:sqlite";
import { Client } from "pg";

/** Keeps a table from being written by anybody else, as another process with an open transaction does, until what it gives is called. */
export async function holdTable(url: string, table: string): Promise<() => Promise<void>> {
  if (url.startsWith("sqlite:")) {
    const other = new DatabaseSync(url.slice("sqlite:".length));
    other.exec("begin immediate");
    return async () => {
      other.exec("rollback");
      other.close();
    };
  }
  const other = new Client({ connectionString: url });
  await other.connect();
  await other.query("begin");
  await other.query(`lock table ${table} in exclusive mode`);
  return () => other.end();
}
