import * as v from "valibot";
import { AgentIdentityError } from "../agent-identity-error.js";
import { describeIssues } from "./describe-issues.js";
import { serverId } from "./fields.js";

/**
 * Where a human revokes an agent of their own, below the authority's base URL: `/v1/agent/{id}/revoke`. The request has no body.
 *
 * @param agentRuntimeId - an id, or a router's placeholder for one; written as it is
 */
export function agentRevocationPath(agentRuntimeId: string): string {
  return `/v1/agent/${agentRuntimeId}/revoke`;
}

/** Answer to an agent revocation: `{agent_runtime_id, agent_state: "revoked"}` (protocol.md §5.7). Unknown members are ignored. */
export const agentRevocationResponseSchema = v.pipe(
  v.object({
    agent_runtime_id: v.pipe(serverId, v.description("The id of the agent.")),
    agent_state: v.pipe(v.literal("revoked"), v.description("The agent has ended.")),
  }),
  v.description("The agent that was ended (protocol §5.7)."),
);

/** What an authority answers to an agent revocation; also where the agent was revoked before. */
export interface AgentRevocationResponse {
  readonly agentRuntimeId: string;
}

/** Makes the authority's answer to an agent revocation. */
export function createAgentRevocationResponse(
  response: AgentRevocationResponse,
): v.InferInput<typeof agentRevocationResponseSchema> {
  return { agent_runtime_id: response.agentRuntimeId, agent_state: "revoked" };
}

/**
 * Reads the parsed JSON answer to an agent revocation. Whether it is about the agent of the request is its sender's to check.
 *
 * @throws {AgentIdentityError} `bad_response`
 */
export function parseAgentRevocationResponse(body: unknown): AgentRevocationResponse {
  const parsed = v.safeParse(agentRevocationResponseSchema, body);
  if (parsed.success) return { agentRuntimeId: parsed.output.agent_runtime_id };
  throw new AgentIdentityError(
    "bad_response",
    `the authority does not say that the agent is revoked: ${describeIssues(parsed)}`,
    { hint: "ask the authority's operator to revoke it" },
  );
}
