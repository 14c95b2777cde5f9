import { LONGEST_TIMER_MS } from "@countersign/agent-key";

/** Settings of PostgreSQL and their values. */
export type SessionSettings = Readonly<Record<string, string>>;

/** How long a pool waits for a server, its locks and its answers. Times in milliseconds. */
export interface Patience {
  /** Time-outs that the server keeps, as the URL says them or else by default. */
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

const REQUEST_MS = 30_000;
const MIGRATION_MS = 15 * 60_000;
// PostgreSQL's.
const UNITS: Readonly<Record<string, number>> = {
  ...{ us: 0.001, ms: 1, s: 1_000, min: 60_000 },
  ...{ h: 3_600_000, d: 86_400_000 },
};

/** How long a store that serves requests waits. */
export function requestPatience(url: string): Patience {
  return patience(url, CONNECT_TIMEOUT_MS, REQUEST_MS);
}

/** How long a migration waits: it waits for migrations of other processes, and may rewrite large tables. */
export function migrationPatience(url: string): Patience {
  return patience(url, MIGRATION_WAIT_MS, MIGRATION_MS);
}

/** How long a migration waits for the lock of a table, as a value of PostgreSQL's `lock_timeout`. */
export function tableLockTimeout(url: string): string {
  return timeoutsOf(url, CONNECT_TIMEOUT_MS, REQUEST_MS).lock_timeout;
}

/**
 * The URL for the driver, without the time-outs. The driver would send them as start-up parameters, which PgBouncer refuses or ignores, and would
 * make 2 ms of `2min`.
 */
export function withoutTimeouts(url: string): string {
  const parts = new URL(url);
  const named = Object.keys(timeoutsOf(url, 0, 0)).filter((name) => parts.searchParams.has(name));
  for (const name of named) parts.searchParams.delete(name);
  return named.length === 0 ? url : parts.href;
}

function timeoutsOf(url: string, lockMs: number, statementMs: number) {
  const { searchParams } = new URL(url);
  // The last one counts, as for the driver. One without a value counts as absent.
  const timeoutOf = (name: string, value: string) => searchParams.getAll(name).at(-1) || value;
  return {
    lock_timeout: timeoutOf("lock_timeout", `${lockMs}ms`),
    statement_timeout: timeoutOf("statement_timeout", `${statementMs}ms`),
    idle_in_transaction_session_timeout: timeoutOf("idle_in_transaction_session_timeout", "30s"),
  };
}

function patience(url: string, startMs: number, statementMs: number): Patience {
  const settings = timeoutsOf(url, startMs, statementMs);
  const serverMs = millisecondsOf(settings.statement_timeout);
  const answerMs =
    serverMs === 0 ? undefined : Math.min(serverMs + ON_THE_WAY_MS, LONGEST_TIMER_MS);
  return { settings, startMs, answerMs };
}

// A value that PostgreSQL does not take it refuses itself.
function millisecondsOf(text: string): number {
  const [, number, unit = "ms"] = /^\s*(.*?)\s*(us|ms|s|min|h|d)?\s*$/.exec(text) ?? [];
  return Math.round(Number(number) * (UNITS[unit] ?? 1)) || 0;
}
