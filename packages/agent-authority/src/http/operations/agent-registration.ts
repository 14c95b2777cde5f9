import {
  AGENT_REGISTRATION_PATH,
  type AgentRegistrationRequest,
  createAgentRegistrationResponse,
  parseAgentRegistrationRequest,
} from "@countersign/agent-identity/server";
import { parseTimestamp } from "@countersign/agent-key";
import { claimOfAgent } from "../../limits/known-callers.js";
import { userSubject } from "../../limits/limit-subject.js";
import { actedBy } from "../../registry/audit-stamp.js";
import type { Generation } from "../../registry/generations.js";
import type { Principal } from "../../registry/principal.js";
import { Refusal } from "../../registry/refusal.js";
import { registerAgent } from "../../registry/register-agent.js";
import type { AuthorityContext } from "../authority-context.js";
import { commitCounted } from "../count-request.js";
import { checkAgentRegistrationProof } from "../human-proof.js";
import { noteLimitUse } from "../note-limit-use.js";
import { PROOF_FIELDS } from "../openapi/proof-fields.js";
import { PUBLIC_SCHEMAS } from "../openapi/public-schemas.js";
import { readHeaderLines } from "../read-headers.js";
import { noteHuman } from "../refusal-record.js";
import { isProvenAgentRegistration } from "../registration-proof.js";
import { requestStamp } from "../request-state.js";
import type { ServedOperation, ServedRequest } from "../served-operation.js";

/** The registration of agents (protocol §5.4, generations A and C). */
export function registerAgentOperation(generations: ReadonlySet<Generation>): ServedOperation {
  return {
    method: "post",
    path: AGENT_REGISTRATION_PATH,
    summary: "Registers an agent by its public key.",
    description:
      "The same key of the same human is the same agent (protocol §5.4). The credential is the human's token, or a biscuit, not both. A registration proof in `Signature-Input`, `Signature` and `Content-Digest` shows that the sender holds the key (protocol §5.3).",
    credentials: [
      ...(generations.has("C") ? (["human"] as const) : []),
      ...(generations.has("A") ? (["biscuit"] as const) : []),
    ],
    headers: PROOF_FIELDS,
    body: PUBLIC_SCHEMAS.AgentRegistrationRequest,
    answer: { description: "The agent is registered.", schema: PUBLIC_SCHEMAS.AgentRegistration },
    refusals: [
      "biscuit_invalid",
      "bad_signature",
      "agent_revoked",
      "forbidden",
      "agent_limit",
      "invalid_key",
    ],
    audited: "agent_registration",
    addressLimit: "all_requests",
    countedBy: "user",
    registers: "agent",
    serve: (context) => (request) => register(context, request),
  };
}

async function register(context: AuthorityContext, request: ServedRequest) {
  const stamp = requestStamp(context, request);
  const proof = await checkAgentRegistrationProof(
    context,
    readHeaderLines(request.raw),
    AGENT_REGISTRATION_PATH,
    stamp,
  );
  noteHuman(request, proof.principal);
  const registration = parseAgentRegistrationRequest(request.body);
  const { publicKey } = registration;
  const isProven = isProvenAgentRegistration(context, request.raw, publicKey, stamp);
  const { principal } = proof;
  assertExpectedHuman(registration, principal);
  const user = userSubject(principal.accountId, principal.userId);
  const { agent, use } = await commitCounted(context, request.raw, user, async (rows) => {
    await proof.spend(rows);
    return registerAgent(
      rows,
      principal,
      registration,
      context.agentPolicy,
      isProven,
      actedBy(stamp, principal),
    );
  });
  noteLimitUse(context, use, { account_id: agent.account_id, user_id: agent.user_id });
  context.knownCallers.remember([claimOfAgent(agent.agent_runtime_id)]);
  return createAgentRegistrationResponse({
    agentRuntimeId: agent.agent_runtime_id,
    accountId: agent.account_id,
    userId: agent.user_id,
    expiresAt: agent.expires_at === null ? undefined : parseTimestamp(agent.expires_at),
    ephemeral: agent.ephemeral === 1,
  });
}

// A client is told before an agent exists that its credential is not of the human that it registers for (protocol §5.4).
function assertExpectedHuman(
  { accountId, userId }: Pick<AgentRegistrationRequest, "accountId" | "userId">,
  principal: Pick<Principal, "accountId" | "userId">,
): void {
  const isOther =
    (accountId !== undefined && accountId !== principal.accountId) ||
    (userId !== undefined && userId !== principal.userId);
  if (!isOther) return;
  throw new Refusal(
    "forbidden",
    "this login's credential belongs to another account or user than the registration is for: log in with those that it belongs to",
  );
}
