import type { Dialect, PostgresPoolClient } from "kysely";
import { type ClientBase, Pool, type PoolClient } from "pg";
import { toPostgresError } from "./postgres-error.js";
import { PlainPostgresDialect } from "./postgres-introspector.js";
import { statementName } from "./statement-names.js";
import type { PoolState } from "./store-events.js";

const CONNECT_TIMEOUT_MS = 5_000;
const LOCK_TIMEOUT_MS = 5_000;
const STATEMENT_TIMEOUT_MS = 30_000;

/** How many connections a process has to its database at most. */
export const POOL_SIZE = 10;

/** Options of {@link createPostgresDialect}. */
export interface PostgresDialectOptions {
  readonly maxConnections: number;
  /** Whether statements and locks are given up after a while. Migrations wait for each other as long as it takes. */
  readonly isPatient?: boolean | undefined;
  /** Gets what reads the state of the pool. */
  readonly onPool?: ((read: () => PoolState) => void) | undefined;
}

/** A Kysely dialect over a pool of connections to PostgreSQL. Nothing is connected before the first query. */
export function createPostgresDialect(url: string, options: PostgresDialectOptions): Dialect {
  const pool = new Pool({
    connectionString: url,
    max: options.maxConnections,
    application_name: "countersign-authority",
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    onConnect: keepCommitsDurable,
    keepAlive: true,
    ...(options.isPatient
      ? {}
      : {
          lock_timeout: LOCK_TIMEOUT_MS,
          statement_timeout: STATEMENT_TIMEOUT_MS,
          idle_in_transaction_session_timeout: STATEMENT_TIMEOUT_MS,
        }),
  });
  options.onPool?.(() => ({
    total: pool.totalCount,
    idle: pool.idleCount,
    waiting: pool.waitingCount,
  }));
  // A connection that ends while nobody uses it, or between two queries, would else end the process; the next query tells.
  pool.on("error", () => {});
  pool.on("connect", (client) => client.on("error", () => {}));
  const clients = new WeakMap<PoolClient, PostgresPoolClient>();
  return new PlainPostgresDialect({
    pool: {
      connect: async () => {
        const client = await connect(pool);
        const known = clients.get(client) ?? createMappedClient(client);
        clients.set(client, known);
        return known;
      },
      end: () => pool.end(),
      options: {},
    },
  });
}

async function connect(pool: Pool): Promise<PoolClient> {
  try {
    return await pool.connect();
  } catch (error) {
    throw toPostgresError(error);
  }
}

// A server may be set to acknowledge commits that are not on disk yet; an authority acknowledges none.
async function keepCommitsDurable(client: ClientBase): Promise<void> {
  await client.query(
    "select set_config('synchronous_commit', 'on', false) where current_setting('synchronous_commit') = 'off'",
  );
}

/** What Kysely asks of a client, with errors of this package. It keeps what it knows of a client by the object, so there is one for each. */
function createMappedClient(client: PoolClient): PostgresPoolClient {
  const query = async (sql: string, parameters: readonly unknown[]): Promise<unknown> => {
    try {
      return await client.query({ name: statementName(sql), text: sql, values: [...parameters] });
    } catch (error) {
      throw toPostgresError(error);
    }
  };
  return {
    // Kysely's other form, with a cursor, is for streams, which the authority does not use.
    query: query as PostgresPoolClient["query"],
    release: (destroy) => client.release(destroy),
  };
}
