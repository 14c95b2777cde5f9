import type { AgentEntry } from "../schema/registry-entries.js";
import type { Rows } from "../store/authority-store.js";
import { type AccountScope, isWithin } from "./account-scope.js";
import { parseClaims } from "./kept-claims.js";
import { isLapsedClaim } from "./life-state.js";
import { type IdQuery, listByIds } from "./list-entries.js";
import { edgeOf, type IdMatch, matches } from "./matching-ids.js";
import { type ShownAgent, selectShownAgents, toAgentEntry } from "./operate-agents.js";
import type { Instant } from "./times.js";

/** Which agents a search is for. */
export type AgentMatch = IdMatch | { readonly claim: string };

/** The newest agents with these ids, or with a claim of this value, without claims to a key that lapsed. */
export function findAgents(
  rows: Rows,
  match: AgentMatch,
  count: number,
  instant: Instant,
  scope: AccountScope,
): Promise<AgentEntry[]> {
  return listByIds<ShownAgent, AgentEntry>("desc", undefined, count, {
    // Where all accounts are within, whatever matches is asked for.
    filters: scope === undefined ? [] : [idsOf(rows, match), agentsWithin(rows, scope)],
    byIds: (ids) => selectShownAgents(rows).where("agents.agent_runtime_id", "in", ids).execute(),
    byId: (_, after = edgeOf("desc"), portion) => {
      const agents = selectShownAgents(rows);
      if (!("claim" in match)) {
        return agents
          .where(matches("agents.agent_runtime_id", match))
          .where("agents.agent_runtime_id", "<", after)
          .orderBy("agents.agent_runtime_id", "desc")
          .limit(portion)
          .execute();
      }
      return agents
        .innerJoin("agent_claims", "agent_claims.agent_runtime_id", "agents.agent_runtime_id")
        .where("agent_claims.value", "=", match.claim)
        .where("agent_claims.agent_runtime_id", "<", after)
        .orderBy("agent_claims.agent_runtime_id", "desc")
        .limit(portion)
        .execute();
    },
    idOf: (row) => row.agent_runtime_id,
    toEntry: (row) => {
      const isShown = isWithin(scope, row.account_id) && isMatched(row, match);
      return isShown && !isLapsedClaim(row, instant) ? toAgentEntry(row, instant) : undefined;
    },
  });
}

function idsOf(rows: Rows, match: AgentMatch): IdQuery {
  if ("claim" in match) {
    return rows
      .selectFrom("agent_claims")
      .select("agent_runtime_id as id")
      .where("value", "=", match.claim);
  }
  return rows
    .selectFrom("agents")
    .select("agent_runtime_id as id")
    .where(matches("agent_runtime_id", match));
}

/** Selects the ids of the agents of some accounts. */
export function agentsWithin(rows: Rows, scope: readonly string[]) {
  return rows
    .selectFrom("agents")
    .select("agent_runtime_id as id")
    .where("account_id", "in", scope);
}

function isMatched({ agent_runtime_id: id, claims }: ShownAgent, match: AgentMatch): boolean {
  if ("prefix" in match) return id.startsWith(match.prefix);
  if ("ids" in match) return match.ids.includes(id);
  return Object.values(parseClaims(claims) ?? {}).includes(match.claim);
}
