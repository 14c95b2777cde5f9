import { describeIssues, isServerId } from "@countersign/agent-key";
import * as z from "zod";
import { AgentIdentityError } from "../agent-identity-error.js";

/**
 * Where a human revokes an agent of their own, below the authority's base URL: `/v1/agent/{id}/revoke`. The request has no body.
 *
 * @param agentRuntimeId - an id, or a router's placeholder for one; written as it is
 */
export function agentRevocationPath(agentRuntimeId: string): string {
  return `/v1/agent/${agentRuntimeId}/revoke`;
}

/** Answer to an agent revocation: `{agent_runtime_id, agent_state: "revoked"}` (protocol.md §5.7). Unknown members are ignored. */
export const agentRevocationResponseSchema = z.object({
  agent_runtime_id: z.string().refine(isServerId, "not a server's id"),
  agent_state: z.literal("revoked"),
});

/** What an authority answers to an agent revocation; also where the agent was revoked before. */
export interface AgentRevocationResponse {
  readonly agentRuntimeId: string;
}

/** Makes the authority's answer to an agent revocation. */
export function createAgentRevocationResponse(
  response: AgentRevocationResponse,
): z.input<typeof agentRevocationResponseSchema> {
  return { agent_runtime_id: response.agentRuntimeId, agent_state: "revoked" };
}

/**
 * Reads the parsed JSON answer to an agent revocation. Whether it is about the agent of the request is its sender's to check.
 *
 * @throws {AgentIdentityError} `bad_response`
 */
export function parseAgentRevocationResponse(body: unknown): AgentRevocationResponse {
  const parsed = agentRevocationResponseSchema.safeParse(body);
  if (parsed.success) return { agentRuntimeId: parsed.data.agent_runtime_id };
  throw new AgentIdentityError(
    "bad_response",
    `the authority does not say that the agent is revoked: ${describeIssues(parsed.error)}`,
    { cause: parsed.error, hint: "ask the authority's operator to revoke it" },
  );
}
