import {
  AGENT_REGISTRATION_PATH,
  createAgentRegistrationResponse,
  parseAgentRegistrationRequest,
} from "@countersign/agent-identity";
import { parseTimestamp } from "@countersign/agent-key";
import type { FastifyInstance } from "fastify";
import { commitRefusals } from "../registry/commit-refusals.js";
import { actedBy } from "../registry/occasion.js";
import { registerAgent } from "../registry/register-agent.js";
import type { AuthorityContext } from "./authority-context.js";
import { checkAgentRegistrationProof } from "./human-proof.js";
import { readHeaderLines } from "./read-headers.js";
import { isProvenAgentRegistration } from "./registration-proof.js";
import { requestOccasion } from "./request-origin.js";

/** Serves the registration of agents (protocol §4, generations A and C). */
export function addAgentRoutes(app: FastifyInstance, context: AuthorityContext): void {
  app.post(AGENT_REGISTRATION_PATH, async (request) => {
    const occasion = requestOccasion(context, request);
    const proof = await checkAgentRegistrationProof(
      context,
      readHeaderLines(request.raw),
      AGENT_REGISTRATION_PATH,
      occasion,
    );
    const registration = parseAgentRegistrationRequest(request.body);
    const { publicKey } = registration;
    const isProven = isProvenAgentRegistration(context, request.raw, publicKey, occasion);
    const agent = await commitRefusals(context.store, async (rows) => {
      await proof.spend(rows);
      const { principal } = proof;
      return registerAgent(
        rows,
        principal,
        registration,
        context.agentPolicy,
        isProven,
        actedBy(occasion, principal.actor),
      );
    });
    return createAgentRegistrationResponse({
      agentRuntimeId: agent.agent_runtime_id,
      accountId: agent.account_id,
      userId: agent.user_id,
      expiresAt: agent.expires_at === null ? undefined : parseTimestamp(agent.expires_at),
    });
  });
}
