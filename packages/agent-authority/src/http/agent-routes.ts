import {
  AGENT_REGISTRATION_PATH,
  createAgentRegistrationResponse,
  parseAgentRegistrationRequest,
} from "@countersign/agent-identity";
import { parseTimestamp } from "@countersign/agent-key";
import type { FastifyInstance } from "fastify";
import { commitRefusals } from "../registry/commit-refusals.js";
import { registerAgent } from "../registry/register-agent.js";
import { instantOf } from "../registry/times.js";
import type { AuthorityContext } from "./authority-context.js";
import { checkAgentRegistrationProof } from "./human-proof.js";
import { readHeaderLines } from "./read-headers.js";
import { isProvenAgentRegistration } from "./registration-proof.js";

/** Serves the registration of agents (protocol §4, generations A and C). */
export function addAgentRoutes(app: FastifyInstance, context: AuthorityContext): void {
  app.post(AGENT_REGISTRATION_PATH, async (request) => {
    const instant = instantOf(context.now);
    const proof = await checkAgentRegistrationProof(
      context,
      readHeaderLines(request.raw),
      AGENT_REGISTRATION_PATH,
      instant,
    );
    const registration = parseAgentRegistrationRequest(request.body);
    const { publicKey } = registration;
    const isProven = isProvenAgentRegistration(context, request.raw, publicKey, instant);
    const agent = await commitRefusals(context.store, async (rows) => {
      await proof.spend(rows);
      const { principal } = proof;
      return registerAgent(rows, principal, registration, context.agentPolicy, isProven, instant);
    });
    return createAgentRegistrationResponse({
      agentRuntimeId: agent.agent_runtime_id,
      accountId: agent.account_id,
      userId: agent.user_id,
      expiresAt: agent.expires_at === null ? undefined : parseTimestamp(agent.expires_at),
    });
  });
}
