import { AgentKey, encodeBase64 } from "@countersign/agent-key";
import { toX25519PublicKey } from "@countersign/agent-task/server";
import { registryRows } from "@countersign/testing";
import { sql } from "kysely";
import type { AuthorityStore, Rows } from "../../src/store/authority-store.js";

const TASKS_OF_AGENT = 100;

/** An agent of a seeded database whose key is known. */
export interface SeededAgent {
  readonly id: string;
  readonly userId: string;
  readonly key: AgentKey;
  /** Tasks of it that live. */
  readonly taskIds: readonly string[];
}

/**
 * Fills an empty database by bulk: agents with 100 live tasks each unless another number is given, 10 agents to a user, 10 users to an account, a human's access token for each user, an audit event for each of
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
  if (isPostgres) await sql`alter table audit_events disable trigger user`.execute(rows);
  for (const statement of registryRows({ isPostgres, agents, tasksOfAgent })) {
    await sql.raw(statement).execute(rows);
  }
  if (isPostgres) {
    const events = agents * (tasksOfAgent + 1);
    await sql`alter table audit_events enable trigger user`.execute(rows);
    await sql`select setval('audit_events_sequence', ${sql.lit(events)})`.execute(rows);
  }
  // As autovacuum does it by itself after a while.
  if (isPostgres) {
    await sql`vacuum analyze accounts, users, access_tokens, agents, tasks, audit_events, spent_nonces, rate_limits`.execute(
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
