import type { PostgresPoolClient } from "kysely";
import { type Client, type ClientBase, escapeLiteral, type PoolClient } from "pg";
import { toPostgresError } from "./postgres-error.js";
import type { Patience } from "./postgres-patience.js";
import { statementName } from "./statement-names.js";

type Query = (sql: string, parameters: readonly unknown[]) => Promise<unknown>;

// A server may be set to acknowledge commits that are not on disk yet; an authority acknowledges none.
const durable = (isLocal: boolean) =>
  `select set_config('synchronous_commit', 'on', ${isLocal}) where current_setting('synchronous_commit') = 'off'`;
// A stricter default would refuse single statements and migrations that lost a race, which nothing runs again.
const ISOLATION = "read committed";

// Connections to a pooler such as PgBouncer: each transaction may run in another session of the server, and others use that session next.
const pooled = new WeakSet<ClientBase>();

/**
 * Sets up a new connection: a session of its own gets the settings for as long as it lives. A pooler's connection gets nothing, since another
 * client would inherit it. A pooler gives its clients numbers of its own in place of the number of the server's process.
 *
 * Start-up parameters would not do: PgBouncer refuses the connection over one that it does not keep.
 */
export async function startSession(
  client: ClientBase,
  { settings, startMs }: Patience,
): Promise<void> {
  const { rows } = await within(startMs, client, () =>
    client.query<{ pid: number }>("select pg_backend_pid() as pid"),
  );
  if (!("processID" in client) || client.processID !== rows[0]?.pid) {
    pooled.add(client);
    return;
  }
  const all = Object.entries({ ...settings, default_transaction_isolation: ISOLATION });
  const set = all.map(([name, value]) => `set_config('${name}', ${escapeLiteral(value)}, false)`);
  const text = `select ${set.join(", ")}; ${durable(false)}`;
  await within(startMs, client, () => client.query(text));
}

// Ending a connection that waits for an answer fails its query as one that was lost, and takes it out of the pool. The types do not say that a
// pool's clients can be ended.
async function within<T>(
  ms: number | undefined,
  client: ClientBase,
  query: () => Promise<T>,
): Promise<T> {
  const timer = ms === undefined ? undefined : setTimeout(() => void (client as Client).end(), ms);
  try {
    return await query();
  } finally {
    clearTimeout(timer);
  }
}

/** What Kysely asks of a client, with errors of this package. */
export function createMappedClient(client: PoolClient, patience: Patience): PostgresPoolClient {
  const query = pooled.has(client) ? queryPooled(client, patience) : querySession(client, patience);
  return {
    // Kysely's other form, with a cursor, is for streams, which the authority does not use.
    query: query as PostgresPoolClient["query"],
    release: (destroy) => client.release(destroy),
  };
}

function querySession(client: PoolClient, { answerMs }: Patience): Query {
  return (sql, parameters) =>
    withErrors(() =>
      within(answerMs, client, () =>
        client.query({ name: statementName(sql), text: sql, values: [...parameters] }),
      ),
    );
}

/**
 * Statements behind a pooler. Each transaction carries its settings along, and a single statement is a transaction, so that they hold for it
 * as well. None has a name: the session that parsed it may be another one at its next run.
 */
function queryPooled(client: PoolClient, { settings, startMs, answerMs }: Patience): Query {
  const set = Object.entries(settings).map(
    ([name, value]) => `set local ${name} = ${escapeLiteral(value)}`,
  );
  const start = [`start transaction isolation level ${ISOLATION}`, ...set, durable(true)].join(";");
  const run: Query = (text, values) =>
    withErrors(() => within(answerMs, client, () => client.query({ text, values: [...values] })));
  let isOpen = false;

  async function open(): Promise<void> {
    try {
      await within(startMs, client, () => run(start, []));
    } catch (error) {
      await run("rollback", []).catch(() => {});
      throw error;
    }
  }

  return async (sql, parameters) => {
    if (/^(?:begin|start transaction)\b/.test(sql)) {
      await open();
      isOpen = true;
      return { command: "BEGIN", rowCount: null, rows: [] };
    }
    if (/^(?:commit|rollback)$/.test(sql)) {
      isOpen = false;
      return await run(sql, parameters);
    }
    if (isOpen) return await run(sql, parameters);
    await open();
    try {
      const result = await run(sql, parameters);
      await run("commit", []);
      return result;
    } catch (error) {
      // Of the first failure alone is told: the rollback of a lost connection fails as well.
      await run("rollback", []).catch(() => {});
      throw error;
    }
  };
}

async function withErrors<T>(run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (error) {
    throw toPostgresError(error);
  }
}
