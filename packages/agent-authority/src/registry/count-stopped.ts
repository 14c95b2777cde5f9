import { setImmediate as turn } from "node:timers/promises";
import type { Stopped } from "../operations/registry-types.js";
import type { Rows } from "../store/authority-store.js";
import { lifeStateOf } from "./life-state.js";
import type { PrincipalIds } from "./principals.js";
import type { Instant } from "./times.js";

// A statement looks at the tasks of so many agents at most: on SQLite everybody waits for each statement.
const PORTION = 200;

/** What a revocation stopped that found its subject stopped already. */
export const NOTHING_STOPPED: Stopped = { agents: 0, tasks: 0, tokens: 0 };

/**
 * Counts what lived below a user or an account whose revocation was committed at this instant. Everything is found by an index.
 *
 * @param ids - without a user: the whole account
 */
export async function countBelow(
  rows: Rows,
  { accountId, userId }: Pick<PrincipalIds, "accountId"> & Partial<PrincipalIds>,
  instant: Instant,
): Promise<Stopped> {
  let stopped = { ...NOTHING_STOPPED, tokens: await countTokens(rows, accountId, userId, instant) };
  let seen = { user_id: "", agent_runtime_id: "" };
  for (;;) {
    let query = rows
      .selectFrom("agents")
      .innerJoin("users", (join) =>
        join
          .onRef("users.account_id", "=", "agents.account_id")
          .onRef("users.user_id", "=", "agents.user_id"),
      )
      .select(["agents.user_id", "agents.agent_runtime_id", "agents.proven_at"])
      .select(["agents.claimed_at", "agents.revoked_at", "agents.expires_at"])
      .select("agents.ephemeral")
      .select("users.revoked_at as user_revoked_at")
      .where("agents.account_id", "=", accountId)
      .where((eb) =>
        eb(
          eb.refTuple("agents.user_id", "agents.agent_runtime_id"),
          ">",
          eb.tuple(seen.user_id, seen.agent_runtime_id),
        ),
      );
    if (userId !== undefined) query = query.where("agents.user_id", "=", userId);
    const portion = await query
      .orderBy("agents.user_id")
      .orderBy("agents.agent_runtime_id")
      .limit(PORTION)
      .execute();
    const live = portion.filter((row) => isLive(row, userId === undefined, instant));
    const ids = live.map(({ agent_runtime_id }) => agent_runtime_id);
    stopped = {
      ...stopped,
      agents: stopped.agents + live.length,
      tasks: stopped.tasks + (await countTasks(rows, ids, instant)),
    };
    const last = portion.at(-1);
    if (last === undefined || portion.length < PORTION) return stopped;
    seen = last;
    await turn();
  }
}

interface BelowRow {
  readonly proven_at: string | null;
  readonly claimed_at: string;
  readonly revoked_at: string | null;
  readonly expires_at: string | null;
  readonly ephemeral: number;
  readonly user_revoked_at: string | null;
}

// Of a user that was revoked just now, its own revocation is not looked at.
function isLive(row: BelowRow, looksAtUser: boolean, instant: Instant): boolean {
  const { revoked_at, expires_at, ephemeral, user_revoked_at } = row;
  if (looksAtUser && user_revoked_at !== null) return false;
  if (row.proven_at === null && row.claimed_at <= instant.lapsedClaim) return false;
  return lifeStateOf({ revoked_at, expires_at, ephemeral }, instant) === "active";
}

/** Counts the tasks of agents that live at an instant. */
export async function countTasks(
  rows: Rows,
  agentRuntimeIds: readonly string[],
  instant: Instant,
): Promise<number> {
  if (agentRuntimeIds.length === 0) return 0;
  const { count } = await rows
    .selectFrom("tasks")
    .select((eb) => eb.fn.countAll<number | string>().as("count"))
    .where("agent_runtime_id", "in", agentRuntimeIds)
    .where("state", "=", "active")
    .where((eb) => eb.or([eb("expires_at", "is", null), eb("expires_at", ">", instant.text)]))
    .executeTakeFirstOrThrow();
  return Number(count);
}

async function countTokens(
  rows: Rows,
  accountId: string,
  userId: string | undefined,
  instant: Instant,
): Promise<number> {
  let query = rows
    .selectFrom("access_tokens")
    .select((eb) => eb.fn.countAll<number | string>().as("count"))
    .where("access_tokens.account_id", "=", accountId)
    .where("access_tokens.revoked_at", "is", null)
    .where("expires_at", ">", instant.text);
  query =
    userId === undefined
      ? query
          .leftJoin("users", (join) =>
            join
              .onRef("users.account_id", "=", "access_tokens.account_id")
              .onRef("users.user_id", "=", "access_tokens.user_id"),
          )
          .where("users.revoked_at", "is", null)
      : query.where("access_tokens.user_id", "=", userId);
  return Number((await query.executeTakeFirstOrThrow()).count);
}
