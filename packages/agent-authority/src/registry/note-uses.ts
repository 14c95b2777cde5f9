import { formatTimestamp } from "@countersign/agent-key";
import { sql } from "kysely";
import type { AuthorityStore, Rows } from "../store/authority-store.js";
import type { Instant } from "./times.js";

/** One use of an agent, and of one of its tasks if that is named, as it was reported. */
export interface SeenUse {
  readonly agentRuntimeId: string;
  readonly taskId?: string | undefined;
  /** How long ago it was, whole seconds, 0 or more. */
  readonly secondsAgo: number;
}

/** Who reports uses, and about whom. */
export interface UseReporter {
  /** What `last_used_reported_by` shows. */
  readonly name: string;
  /** The accounts whose agents it may read; `undefined` for all. */
  readonly accounts: readonly string[] | undefined;
}

/**
 * Keeps the last use of agents and tasks. Ids that are unknown, or of accounts that the reporter may not read, are left out, and so is a task
 * that is not the agent's. An older use than the known one changes nothing.
 *
 * @param instant - the authority's: what was reported counts back from it
 */
export async function noteUses(
  store: AuthorityStore,
  uses: readonly SeenUse[],
  reporter: UseReporter,
  instant: Instant,
): Promise<void> {
  if (uses.length === 0) return;
  await store.transaction(async (rows) => {
    const agents = await readableAgents(rows, uses, reporter);
    const readable = uses.filter(({ agentRuntimeId }) => agents.has(agentRuntimeId));
    const owners = await ownersOfTasks(rows, readable);
    const ofAgents = readable.map(({ agentRuntimeId, secondsAgo }) => ({
      id: agentRuntimeId,
      secondsAgo,
    }));
    const ofTasks = readable.flatMap(({ agentRuntimeId, taskId, secondsAgo }) =>
      taskId !== undefined && owners.get(taskId) === agentRuntimeId
        ? [{ id: taskId, secondsAgo }]
        : [],
    );
    await writeAgentUses(rows, lastUses(ofAgents, instant), reporter);
    await writeTaskUses(rows, lastUses(ofTasks, instant), reporter);
  });
}

async function readableAgents(
  rows: Rows,
  uses: readonly SeenUse[],
  { accounts }: UseReporter,
): Promise<ReadonlySet<string>> {
  const ids = [...new Set(uses.map(({ agentRuntimeId }) => agentRuntimeId))];
  let query = rows
    .selectFrom("agents")
    .select("agent_runtime_id")
    .where("agent_runtime_id", "in", ids);
  if (accounts !== undefined) query = query.where("account_id", "in", accounts);
  return new Set((await query.execute()).map((row) => row.agent_runtime_id));
}

async function ownersOfTasks(
  rows: Rows,
  uses: readonly SeenUse[],
): Promise<ReadonlyMap<string, string>> {
  const ids = [...new Set(uses.flatMap(({ taskId }) => taskId ?? []))];
  if (ids.length === 0) return new Map();
  const found = await rows
    .selectFrom("tasks")
    .select(["task_id", "agent_runtime_id"])
    .where("task_id", "in", ids)
    .execute();
  return new Map(found.map((row) => [row.task_id, row.agent_runtime_id]));
}

interface LastUse {
  readonly id: string;
  readonly at: string;
}

// Each id once, and in one order everywhere, so that two reports do not wait for each other's rows.
function lastUses(
  uses: readonly { readonly id: string; readonly secondsAgo: number }[],
  { epochMs }: Instant,
): readonly LastUse[] {
  const ages = new Map<string, number>();
  for (const { id, secondsAgo } of uses) {
    ages.set(id, Math.min(ages.get(id) ?? secondsAgo, secondsAgo));
  }
  return [...ages]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([id, secondsAgo]) => ({ id, at: formatTimestamp(epochMs - secondsAgo * 1_000) }));
}

// What replaces a known use that is older. The first use of a task stays.
const NEWER = {
  used_at: sql<string>`excluded.used_at`,
  reported_by: sql<string>`excluded.reported_by`,
};

async function writeAgentUses(
  rows: Rows,
  uses: readonly LastUse[],
  { name }: UseReporter,
): Promise<void> {
  if (uses.length === 0) return;
  await rows
    .insertInto("agent_uses")
    .values(uses.map(({ id, at }) => ({ agent_runtime_id: id, used_at: at, reported_by: name })))
    .onConflict((conflict) =>
      conflict
        .column("agent_runtime_id")
        .doUpdateSet(NEWER)
        .whereRef("agent_uses.used_at", "<", "excluded.used_at"),
    )
    .execute();
}

async function writeTaskUses(
  rows: Rows,
  uses: readonly LastUse[],
  { name }: UseReporter,
): Promise<void> {
  if (uses.length === 0) return;
  await rows
    .insertInto("task_uses")
    .values(
      uses.map(({ id, at }) => ({
        task_id: id,
        first_used_at: at,
        used_at: at,
        reported_by: name,
      })),
    )
    .onConflict((conflict) =>
      conflict
        .column("task_id")
        .doUpdateSet(NEWER)
        .whereRef("task_uses.used_at", "<", "excluded.used_at"),
    )
    .execute();
}
