import type { Code } from "@countersign/agent-key";
import type { FastifyRequest } from "fastify";
import { appendRefusal } from "../registry/audit.js";
import { actedBy } from "../registry/audit-stamp.js";
import type { Principal } from "../registry/principal.js";
import type { Rows } from "../store/authority-store.js";
import type { AgentRow } from "../store/database.js";
import type { AuthorityContext } from "./authority-context.js";
import { requestStamp, stateOf } from "./request-state.js";

/** Keeps whose credential a request came with, once that held: if the request is refused, the audit log says so. */
export function noteHuman(request: FastifyRequest, principal: Principal): void {
  stateOf(request.raw).asker = {
    actor: principal.actor,
    actorName: principal.actorName,
    subject: {
      account_id: principal.accountId,
      user_id: principal.userId,
      access_token_id: principal.accessTokenId,
    },
  };
}

/** Keeps which agent signed a request, once its signature held. */
export function noteAgent(
  request: FastifyRequest,
  agent: Pick<AgentRow, "account_id" | "user_id" | "agent_runtime_id">,
): void {
  const { account_id, user_id, agent_runtime_id } = agent;
  stateOf(request.raw).asker = {
    actor: `agent:${agent_runtime_id}`,
    subject: { account_id, user_id, agent_runtime_id },
  };
}

/** Returns whether the audit log records refusals of this request. */
export function isAudited(request: FastifyRequest): boolean {
  return request.routeOptions.config.audited !== undefined;
}

/** Appends the refusal of a request to the audit log, where it is of a route whose refusals are. */
export async function recordRefusal(
  rows: Rows,
  context: Pick<AuthorityContext, "now">,
  request: FastifyRequest,
  code: Code,
): Promise<void> {
  const { audited: action } = request.routeOptions.config;
  if (action === undefined) return;
  const { asker } = stateOf(request.raw);
  const asked = requestStamp(context, request);
  await appendRefusal(rows, asker === undefined ? asked : actedBy(asked, asker), {
    action,
    code,
    subject: asker?.subject ?? {},
    claimedAgentRuntimeId: claimOf(request),
  });
}

function claimOf({ params }: FastifyRequest): string | undefined {
  const isNamed = typeof params === "object" && params !== null && "agentRuntimeId" in params;
  return isNamed && typeof params.agentRuntimeId === "string" ? params.agentRuntimeId : undefined;
}
