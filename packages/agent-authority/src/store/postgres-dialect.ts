import type { Dialect, PostgresPoolClient } from "kysely";
import { Client, Pool, type PoolClient } from "pg";
import { AgentAuthorityError } from "../agent-authority-error.js";
import { toPostgresError } from "./postgres-error.js";
import { PlainPostgresDialect } from "./postgres-introspector.js";
import { CONNECT_TIMEOUT_MS, type Patience, withoutTimeouts } from "./postgres-patience.js";
import { createMappedClient, startSession } from "./postgres-session.js";
import type { PoolState } from "./store-events.js";

// Probes find a server that is gone while nothing is under way to it; the default of most systems is two hours.
const KEEP_ALIVE_MS = 10_000;

/** How many connections a process has to its database at most. */
export const POOL_SIZE = 10;

/** Gives the password of the database. Asked for each new connection whose server wants one, so that a rotated one is taken up. */
export type DatabasePassword = () => string | Promise<string>;

/** Options of {@link createPostgresDialect}. */
export interface PostgresDialectOptions {
  readonly maxConnections: number;
  /** Default: the URL's, else `PGPASSWORD`, else that of `.pgpass`. */
  readonly password?: DatabasePassword | undefined;
  readonly patience: Patience;
  /** Gets what reads the state of the pool. */
  readonly onPool?: ((read: () => PoolState) => void) | undefined;
}

/**
 * A Kysely dialect over a pool of connections to PostgreSQL. Nothing is connected before the first query.
 *
 * @throws {AgentAuthorityError} `config_invalid` if the driver cannot use the URL, for instance since a certificate file is missing
 */
export function createPostgresDialect(url: string, options: PostgresDialectOptions): Dialect {
  assertUsable(url);
  const { patience } = options;
  const pool = new Pool({
    connectionString: withoutTimeouts(url),
    max: options.maxConnections,
    application_name: "countersign-authority",
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    onConnect: (client) => startSession(client, patience),
    keepAlive: true,
    keepAliveInitialDelayMillis: KEEP_ALIVE_MS,
    ...(options.password === undefined ? {} : { Client: clientWith(options.password) }),
  });
  options.onPool?.(() => ({
    total: pool.totalCount,
    idle: pool.idleCount,
    waiting: pool.waitingCount,
  }));
  // Without a listener, a connection that ends while it is idle or between two queries would end the process. The next query reports the loss.
  pool.on("error", () => {});
  pool.on("connect", (client) => client.on("error", () => {}));
  // Kysely keeps its state of a client by object identity, so each client has one wrapper.
  const clients = new WeakMap<PoolClient, PostgresPoolClient>();
  return new PlainPostgresDialect({
    pool: {
      connect: async () => {
        const client = await connect(pool);
        const known = clients.get(client) ?? createMappedClient(client, patience);
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

// The driver looks at the URL and reads its files only when it makes a client.
function assertUsable(url: string): void {
  try {
    new Client({ connectionString: url });
  } catch (error) {
    throw new AgentAuthorityError("config_invalid", "the PostgreSQL URL cannot be used", {
      cause: error,
      hint: "check its parameters: sslmode, and that the files of sslrootcert, sslcert and sslkey are there",
    });
  }
}

// What the driver reads from a URL wins over the option `password` of its pool, also where the URL has none.
function clientWith(password: DatabasePassword): new () => Client {
  return class extends Client {
    constructor(config?: ConstructorParameters<typeof Client>[0]) {
      super(config);
      Object.defineProperty(this, "password", {
        value: () => readPassword(password),
        writable: true,
      });
    }
  };
}

async function readPassword(password: DatabasePassword): Promise<string> {
  try {
    return await password();
  } catch (error) {
    throw new AgentAuthorityError("store_denied", "the password of the database cannot be read", {
      cause: error,
      hint: "check the file that holds it",
    });
  }
}
