/** Settings of PostgreSQL and their values. */
export type SessionSettings = Readonly<Record<string, string>>;

/** How long a pool waits for a server, its locks and its answers. Times in milliseconds. */
export interface Patience {
  /** Time-outs that the server keeps. What the URL says itself is left out: the driver sends it. */
  readonly settings: SessionSettings;
  /** How long the start of a session, and behind a pooler that of a transaction, may stay without an answer. */
  readonly startMs: number;
  /**
   * How long a statement may stay without an answer. The server ends it before; a network that drops everything never says so. `undefined`: the URL
   * switches the time-out of the server off.
   */
  readonly answerMs: number | undefined;
}

/** How long a connection may take to be made. */
export const CONNECT_TIMEOUT_MS = 5_000;
// How long a migration waits for that of another process, and behind a pooler for a session of the server, which that process may have.
const MIGRATION_WAIT_MS = 60_000;
// From the end of a statement at the server until that has come here.
const ON_THE_WAY_MS = 5_000;
// The longest delay that a Node timer keeps; longer ones fire at once.
const MAX_TIMER_MS = 2_147_483_647;

const REQUEST_MS = 30_000;
const MIGRATION_MS = 15 * 60_000;
const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, min: 60_000, h: 3_600_000 };

/** The patience of what serves requests. */
export function requestPatience(url: string): Patience {
  const timeouts = timeoutsOf(CONNECT_TIMEOUT_MS, REQUEST_MS);
  return patience(url, timeouts, CONNECT_TIMEOUT_MS, REQUEST_MS);
}

/** The patience of a migration, which waits for those of other processes, and may write large tables anew. */
export function migrationPatience(url: string): Patience {
  const timeouts = timeoutsOf(MIGRATION_WAIT_MS, MIGRATION_MS);
  return patience(url, timeouts, MIGRATION_WAIT_MS, MIGRATION_MS);
}

/** How long a migration waits for the lock of a table, as a value of PostgreSQL's `lock_timeout`; `undefined`: as the URL says. */
export function tableLockTimeout(url: string): string | undefined {
  return requestPatience(url).settings.lock_timeout;
}

function timeoutsOf(lockMs: number, statementMs: number): SessionSettings {
  return {
    lock_timeout: `${lockMs}ms`,
    statement_timeout: `${statementMs}ms`,
    idle_in_transaction_session_timeout: "30s",
  };
}

function patience(
  url: string,
  timeouts: SessionSettings,
  startMs: number,
  statementMs: number,
): Patience {
  const { searchParams } = new URL(url);
  const own = Object.entries(timeouts).filter(([name]) => !searchParams.has(name));
  const text = searchParams.get("statement_timeout");
  const serverMs = text === null ? statementMs : millisecondsOf(text);
  const answerMs = serverMs === 0 ? undefined : Math.min(serverMs + ON_THE_WAY_MS, MAX_TIMER_MS);
  return { settings: Object.fromEntries(own), startMs, answerMs };
}

// A value that PostgreSQL does not take it refuses itself.
function millisecondsOf(text: string): number {
  const [, digits = "0", unit = "ms"] = /^\s*(\d{1,9})\s*(ms|s|min|h)?\s*$/.exec(text) ?? [];
  return Number(digits) * (UNITS[unit] ?? 1);
}
