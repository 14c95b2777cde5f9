import {
  agentRevocationPath,
  createAgentRevocationResponse,
  createKeyRotationResponse,
  keyRotationPath,
  parseKeyRotationRequest,
  verifyKeyRotation,
} from "@countersign/agent-identity/server";
import { parseTimestamp } from "@countersign/agent-key";
import { authenticateHuman } from "../../humans/authenticate-human.js";
import { userSubject } from "../../limits/limit-subject.js";
import { findAgentKeys, findEndedKeys } from "../../registry/agent-keys.js";
import { actedBy } from "../../registry/audit-stamp.js";
import { confirmToken } from "../../registry/authenticate.js";
import {
  endOwnAgent,
  type FoundAgent,
  lockAgent,
  wasGivenUp,
} from "../../registry/operate-agents.js";
import type { Principal } from "../../registry/principal.js";
import { lockClaims } from "../../registry/prove-key.js";
import { Refusal } from "../../registry/refusal.js";
import { isOwnedBy } from "../../registry/register-agent.js";
import { checkLiveAgent } from "../../registry/register-task.js";
import { rotateKey } from "../../registry/rotate-key.js";
import type { AuthorityContext } from "../authority-context.js";
import { commitCounted } from "../count-request.js";
import { PUBLIC_SCHEMAS } from "../openapi/public-schemas.js";
import { readBearerToken, readHeaderLines } from "../read-headers.js";
import { noteHuman } from "../refusal-record.js";
import { AGENT_PARAMETER } from "../registration-target.js";
import { requestStamp } from "../request-state.js";
import type { ServedOperation, ServedRequest } from "../served-operation.js";
import { calledAuthorityOf } from "../target-uri.js";

/** A human's agent gets another key (protocol §5.6). */
export const rotateKeyOperation: ServedOperation = {
  method: "post",
  path: keyRotationPath(AGENT_PARAMETER),
  summary: "Gives an agent of the human's own a new key.",
  description:
    "Both keys sign (protocol §5.6). The agent keeps its id, its tasks and its capabilities. A repetition gets the same answer.",
  credentials: ["human"],
  body: PUBLIC_SCHEMAS.KeyRotationRequest,
  answer: { description: "The agent has the new key.", schema: PUBLIC_SCHEMAS.KeyRotation },
  refusals: [
    { code: "unknown_agent", status: 404 },
    "expired",
    "not_yet_valid",
    "bad_signature",
    "agent_revoked",
    "agent_expired",
    "forbidden",
    "invalid_key",
  ],
  audited: "key_rotation",
  countedBy: "user",
  addressLimit: "all_requests",
  serve: (context) => (request) => rotate(context, request),
};

/** A human's agent ends (protocol §5.7). */
export const revokeAgentOperation: ServedOperation = {
  method: "post",
  path: agentRevocationPath(AGENT_PARAMETER),
  summary: "Ends an agent of the human's own, and with it all its tasks.",
  description:
    "The request has no body (protocol §5.7). A repetition gets the same answer. An agent whose key was never proved is given up instead, and unknown to all others after that.",
  credentials: ["human"],
  answer: { description: "The agent has ended.", schema: PUBLIC_SCHEMAS.AgentRevocation },
  refusals: [{ code: "unknown_agent", status: 404 }, "forbidden"],
  audited: "agent_revocation",
  addressLimit: "all_requests",
  serve: (context) => (request) => revoke(context, request),
};

async function rotate(context: AuthorityContext, request: ServedRequest) {
  const { agentRuntimeId = "" } = request.params;
  const asked = requestStamp(context, request);
  const token = readBearerToken(readHeaderLines(request.raw));
  const principal = await authenticateHuman(context, token, asked);
  noteHuman(request, principal);
  const stamp = actedBy(asked, principal);
  const rotation = parseKeyRotationRequest(request.body);
  const authority = calledAuthorityOf(
    context,
    request.raw,
    keyRotationPath(encodeURIComponent(agentRuntimeId)),
  );
  if (authority === undefined) throw unknownAddress();
  const { maxSkewSeconds } = context;
  const user = userSubject(principal.accountId, principal.userId);
  const endsAt = await commitCounted(context, request.raw, user, async (rows) => {
    await confirmToken(rows, principal, stamp);
    await lockClaims(rows, agentRuntimeId);
    const agent = requireOwn(await lockAgent(rows, agentRuntimeId, stamp), principal);
    const keys = await findAgentKeys(rows, agent, stamp);
    const verified = verifyKeyRotation(rotation, {
      authority,
      agentRuntimeId,
      currentKeys: keys.map(({ publicKey }) => publicKey),
      endedKeys: await findEndedKeys(rows, agent, stamp),
      now: stamp.epochMs,
      maxSkewSeconds,
    });
    checkLiveAgent(agent, stamp);
    const { compromised } = rotation;
    return rotateKey(rows, agent, { ...verified, compromised }, stamp);
  });
  return createKeyRotationResponse({
    agentRuntimeId,
    publicKey: rotation.newPublicKey,
    formerKeyEndsAt: endsAt === undefined ? null : parseTimestamp(endsAt),
  });
}

async function revoke(context: AuthorityContext, request: ServedRequest) {
  const { agentRuntimeId = "" } = request.params;
  const asked = requestStamp(context, request);
  const token = readBearerToken(readHeaderLines(request.raw));
  const principal = await authenticateHuman(context, token, asked);
  noteHuman(request, principal);
  const stamp = actedBy(asked, principal);
  // Not counted by user: a human whose registrations used up that limit must still be able to stop an agent.
  await context.store.transaction(async (rows) => {
    await confirmToken(rows, principal, stamp);
    const agent = await lockAgent(rows, agentRuntimeId, stamp);
    // The answer to the first request may have been lost.
    if (agent === undefined && (await wasGivenUp(rows, agentRuntimeId, principal))) return;
    await endOwnAgent(rows, requireOwn(agent, principal), stamp);
  });
  return createAgentRevocationResponse({ agentRuntimeId });
}

// Another human's agent is answered as one that does not exist.
function requireOwn(agent: FoundAgent | undefined, principal: Principal): FoundAgent {
  if (agent !== undefined && isOwnedBy(agent, principal)) return agent;
  throw new Refusal("unknown_agent", "this human has no such agent", { status: 404 });
}

function unknownAddress(): Refusal {
  return new Refusal(
    "forbidden",
    "keys are not rotated here: this authority does not know its own address",
    {
      hint: "its operator sets the public URL, which both keys sign",
    },
  );
}
