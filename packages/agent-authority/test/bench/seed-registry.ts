import { AgentKey, encodeBase64 } from "@countersign/agent-key";
import { toX25519PublicKey } from "@countersign/agent-task/server";
import { sql } from "kysely";
import type { AuthorityStore, Rows } from "../../src/store/authority-store.js";

const AGENTS_OF_USER = 10;
const TASKS_OF_AGENT = 100;
const THEN = "2026-01-01T00:00:00Z";
const LATER = "2099-01-01T00:00:00Z";

/** An agent of a seeded database whose key is known. */
export interface SeededAgent {
  readonly id: string;
  readonly userId: string;
  readonly key: AgentKey;
  /** Tasks of it that live. */
  readonly taskIds: readonly string[];
}

/**
 * Fills an empty database by bulk: agents with 100 live tasks each unless another number is given, 10 agents to a user, 10 users to an account, an audit event for each of
 * them, a spent nonce for each task and a count of requests for each agent. Ids grow as those of a real one do.
 *
 * @param known - how many of the agents get a key that is known
 */
export async function seedRegistry(
  store: AuthorityStore,
  agents: number,
  known: number,
  tasksOfAgent = TASKS_OF_AGENT,
): Promise<SeededAgent[]> {
  const isPostgres = store.kind === "postgres";
  await store.rows.connection().execute(async (rows) => {
    // It takes longer than any statement of the service may.
    if (isPostgres) await sql`set statement_timeout = 0`.execute(rows);
    await fill(rows, isPostgres, agents, tasksOfAgent);
    if (isPostgres) await sql`reset statement_timeout`.execute(rows);
  });
  return await giveKeys(store.rows, agents, known);
}

async function fill(
  rows: Rows,
  isPostgres: boolean,
  agents: number,
  tasksOfAgent: number,
): Promise<void> {
  const numbers = (end: number) =>
    isPostgres
      ? sql`select n from generate_series(0, ${sql.lit(end - 1)}) as s(n)`
      : sql`select value as n from (with recursive c(value) as (select 0 union all select value + 1 from c where value < ${sql.lit(end - 1)}) select value from c)`;
  // Numbers of eight digits, in the place of what a UUID has for the time.
  const digits = (expression: string) =>
    isPostgres ? `lpad((${expression})::text, 8, '0')` : `printf('%08d', ${expression})`;
  const id = (kind: string, expression: string) =>
    sql.raw(
      `'${kind}_${"0".repeat(3)}' || ${digits(expression)} || '-0000-7000-8000-000000000000'`,
    );
  const of = (kind: string, expression: string) => sql.raw(`'${kind}-' || (${expression})`);
  const userOf = `n / ${AGENTS_OF_USER}`;
  const accountOf = `n / ${AGENTS_OF_USER ** 2}`;

  const users = Math.ceil(agents / AGENTS_OF_USER);
  const accounts = Math.ceil(users / AGENTS_OF_USER);
  const tasks = agents * tasksOfAgent;
  const agentOfTask = `n / ${tasksOfAgent}`;
  if (isPostgres) await sql`alter table audit_events disable trigger user`.execute(rows);
  for (const statement of [
    sql`insert into accounts (account_id, created_at) select ${of("acct", "n")}, ${sql.lit(THEN)} from (${numbers(accounts)}) as it`,
    sql`insert into users (account_id, user_id, created_at) select ${of("acct", userOf)}, ${of("user", "n")}, ${sql.lit(THEN)} from (${numbers(users)}) as it`,
    sql`insert into agents (agent_runtime_id, account_id, user_id, public_key, x25519_public_key, capabilities, abom, state, created_at, claimed_at, proven_at)
      select ${id("agent", "n")}, ${of("acct", accountOf)}, ${of("user", userOf)}, ${of("key", "n")}, 'x', '[]', '{}', 'active', ${sql.lit(THEN)}, ${sql.lit(THEN)}, ${sql.lit(THEN)}
      from (${numbers(agents)}) as it`,
    sql`insert into tasks (task_id, agent_runtime_id, idempotency_hash, state, created_at)
      select ${id("task", "n")}, ${id("agent", agentOfTask)}, ${of("idempotency", "n")}, 'active', ${sql.lit(THEN)}
      from (${numbers(tasks)}) as it`,
    sql`insert into audit_events (sequence, at, action, account_id, user_id, agent_runtime_id)
      select n + 1, ${sql.lit(THEN)}, 'agent_registered', ${of("acct", accountOf)}, ${of("user", userOf)}, ${id("agent", "n")}
      from (${numbers(agents)}) as it`,
    sql`insert into spent_nonces (nonce_hash, expires_at) select ${of("nonce", "n")}, ${sql.lit(LATER)} from (${numbers(tasks)}) as it`,
    sql`insert into rate_limits (name, window_start, count, expires_at)
      select ${of("agent:", "n")}, ${sql.lit(THEN)}, 1, ${sql.lit(LATER)} from (${numbers(agents)}) as it`,
    sql`insert into audit_events (sequence, at, action, agent_runtime_id, task_id)
      select n + 1 + ${sql.lit(agents)}, ${sql.lit(THEN)}, 'task_registered', ${id("agent", agentOfTask)}, ${id("task", "n")}
      from (${numbers(tasks)}) as it`,
  ]) {
    await statement.execute(rows);
  }
  if (isPostgres) {
    await sql`alter table audit_events enable trigger user`.execute(rows);
    await sql`select setval('audit_events_sequence', ${sql.lit(agents + tasks)})`.execute(rows);
  }
  // As autovacuum does it by itself after a while.
  if (isPostgres) {
    await sql`vacuum analyze accounts, users, agents, tasks, audit_events, spent_nonces, rate_limits`.execute(
      rows,
    );
  }
}

async function giveKeys(rows: Rows, agents: number, known: number): Promise<SeededAgent[]> {
  const seeded: SeededAgent[] = [];
  for (let index = 0; index < known; index += 1) {
    const number = Math.floor((index * agents) / known);
    const agentId = `agent_000${String(number).padStart(8, "0")}-0000-7000-8000-000000000000`;
    const key = AgentKey.generate();
    const { user_id } = await rows
      .updateTable("agents")
      .set({
        public_key: key.publicKey.line,
        x25519_public_key: encodeBase64(toX25519PublicKey(key.publicKey)),
      })
      .where("agent_runtime_id", "=", agentId)
      .returning("user_id")
      .executeTakeFirstOrThrow();
    const tasks = await rows
      .selectFrom("tasks")
      .select("task_id")
      .where("agent_runtime_id", "=", agentId)
      .execute();
    seeded.push({ id: agentId, userId: user_id, key, taskIds: tasks.map((row) => row.task_id) });
  }
  return seeded;
}
