const AGENTS_OF_USER = 10;
const THEN = "'2026-01-01T00:00:00Z'";
const LATER = "'2099-01-01T00:00:00Z'";

/** How an authority's database is filled by bulk. */
export interface RegistryRowsOptions {
  /** Whether it is PostgreSQL, otherwise SQLite. */
  readonly isPostgres: boolean;
  readonly agents: number;
  readonly tasksOfAgent: number;
}

/**
 * Statements that fill an empty database of an authority by bulk: agents with their live tasks, 10 tasks to a thread label (`thread-0` and on), 10 agents to a user (`user-0` and on), 10 users to
 * an account (`acct-0` and on), a human's access token for each user, an audit event for each agent and task, a spent nonce for each task and a count of requests for each agent. Ids
 * grow as those of a real one do.
 */
export function registryRows({
  isPostgres,
  agents,
  tasksOfAgent,
}: RegistryRowsOptions): readonly string[] {
  const numbers = (end: number) =>
    isPostgres
      ? `(select n from generate_series(0, ${end - 1}) as s(n)) as it`
      : `(select value as n from (with recursive c(value) as (select 0 union all select value + 1 from c where value < ${end - 1}) select value from c)) as it`;
  // Numbers of eight digits, in the place of what a UUID has for the time.
  const digits = (expression: string) =>
    isPostgres ? `lpad((${expression})::text, 8, '0')` : `printf('%08d', ${expression})`;
  const id = (kind: string, expression: string) =>
    `'${kind}_000' || ${digits(expression)} || '-0000-7000-8000-000000000000'`;
  const of = (kind: string, expression: string) => `'${kind}-' || (${expression})`;
  const user = of("user", `n / ${AGENTS_OF_USER}`);
  const account = of("acct", `n / ${AGENTS_OF_USER ** 2}`);
  const users = Math.ceil(agents / AGENTS_OF_USER);
  const accounts = Math.ceil(users / AGENTS_OF_USER);
  const tasks = agents * tasksOfAgent;
  const agentOfTask = id("agent", `n / ${tasksOfAgent}`);
  return [
    `insert into accounts (account_id, created_at) select ${of("acct", "n")}, ${THEN} from ${numbers(accounts)}`,
    `insert into users (account_id, user_id, created_at) select ${of("acct", `n / ${AGENTS_OF_USER}`)}, ${of("user", "n")}, ${THEN} from ${numbers(users)}`,
    `insert into access_tokens (access_token_id, token_hash, role, account_id, user_id, created_at, expires_at)
      select ${id("token", "n")}, ${of("hash", "n")}, 'human', ${of("acct", `n / ${AGENTS_OF_USER}`)}, ${of("user", "n")}, ${THEN}, ${LATER} from ${numbers(users)}`,
    `insert into agents (agent_runtime_id, account_id, user_id, public_key, x25519_public_key, capabilities, abom, state, created_at, claimed_at, proven_at)
      select ${id("agent", "n")}, ${account}, ${user}, ${of("key", "n")}, 'x', '[]', '{}', 'active', ${THEN}, ${THEN}, ${THEN} from ${numbers(agents)}`,
    `insert into tasks (task_id, agent_runtime_id, idempotency_hash, state, created_at, thread_label)
      select ${id("task", "n")}, ${agentOfTask}, ${of("idempotency", "n")}, 'active', ${THEN}, ${of("thread", "n / 10")} from ${numbers(tasks)}`,
    `insert into audit_events (sequence, at, action, account_id, user_id, agent_runtime_id)
      select n + 1, ${THEN}, 'agent_registered', ${account}, ${user}, ${id("agent", "n")} from ${numbers(agents)}`,
    `insert into spent_nonces (nonce_hash, expires_at) select ${of("nonce", "n")}, ${LATER} from ${numbers(tasks)}`,
    `insert into rate_limits (name, window_start, count, expires_at) select ${of("agent:", "n")}, ${THEN}, 1, ${LATER} from ${numbers(agents)}`,
    `insert into audit_events (sequence, at, action, agent_runtime_id, task_id)
      select n + 1 + ${agents}, ${THEN}, 'task_registered', ${agentOfTask}, ${id("task", "n")} from ${numbers(tasks)}`,
  ];
}
