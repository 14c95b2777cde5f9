import { sql } from "kysely";
import type { Rows } from "../store/authority-store.js";
import type { LimitUse } from "./limit-use.js";
import type { LiveLimits } from "./live-limits.js";
import type { PrincipalIds } from "./principals.js";
import { Refusal } from "./refusal.js";
import type { Instant } from "./times.js";

/** The two kinds of agents, which are counted apart. */
export type AgentKind = "lasting" | "ephemeral";

/**
 * Counts the live agents of one kind of a user, whose row is locked, before one more is admitted.
 *
 * @returns how much of the limit is used with that one
 * @throws {Refusal} `agent_limit` if the limit is reached
 */
export async function admitAgent(
  rows: Rows,
  principal: PrincipalIds,
  kind: AgentKind,
  limits: LiveLimits,
  instant: Instant,
): Promise<LimitUse> {
  const isEphemeral = kind === "ephemeral";
  const limit = isEphemeral ? limits.maxEphemeralAgents : limits.maxLiveAgents;
  const live = await countLiveAgents(rows, principal, kind, instant);
  if (live >= limit)
    throw limitReached(isEphemeral ? "live ephemeral agents" : "live agents", limit);
  return { of: isEphemeral ? "ephemeral_agents" : "agents", used: live + 1, limit };
}

/** The number of live agents of one kind of a user. */
export async function countLiveAgents(
  rows: Rows,
  { accountId, userId }: PrincipalIds,
  kind: AgentKind,
  instant: Instant,
): Promise<number> {
  let live = rows
    .selectFrom("agents")
    .select((eb) => eb.fn.countAll<number | string>().as("count"))
    .where("account_id", "=", accountId)
    .where("user_id", "=", userId)
    // Written out, because the two indexes are of these rows alone.
    .where("state", "=", sql.lit("active"))
    .where("ephemeral", "=", sql.lit(kind === "ephemeral" ? 1 : 0))
    .where((eb) =>
      eb.or([eb("proven_at", "is not", null), eb("claimed_at", ">", instant.lapsedClaim)]),
    );
  // An ephemeral agent without an end has ended, see `lifeStateOf`.
  live =
    kind === "ephemeral"
      ? live.where("expires_at", ">", instant.text)
      : live.where((eb) =>
          eb.or([eb("expires_at", "is", null), eb("expires_at", ">", instant.text)]),
        );
  // PostgreSQL's counts are text.
  return Number((await live.executeTakeFirstOrThrow()).count);
}

function limitReached(what: string, limit: number): Refusal {
  return new Refusal("agent_limit", `this user has ${limit} ${what} already`, {
    hint: "end those that are not used, or ask the operator to revoke them or to raise the limit",
  });
}
