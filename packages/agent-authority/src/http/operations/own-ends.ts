import {
  agentEndPath,
  createAgentRevocationResponse,
  createTaskEndResponse,
  type OwnEndRequest,
  parseOwnEndRequest,
  taskEndPath,
  type VerifyOwnEndOptions,
  verifyOwnEnd,
} from "@countersign/agent-identity/server";
import { type AgentPublicKey, CountersignError } from "@countersign/agent-key";
import { findAgentKeys } from "../../registry/agent-keys.js";
import { actedBy } from "../../registry/audit-stamp.js";
import {
  endOwnAgent,
  type FoundAgent,
  findAgent,
  lockAgent,
} from "../../registry/operate-agents.js";
import { endOwnTask } from "../../registry/operate-tasks.js";
import { Refusal } from "../../registry/refusal.js";
import type { Instant } from "../../registry/times.js";
import type { Rows } from "../../store/authority-store.js";
import type { AuthorityContext } from "../authority-context.js";
import { PUBLIC_SCHEMAS } from "../openapi/public-schemas.js";
import { readHeaderLines } from "../read-headers.js";
import { noteAgent } from "../refusal-record.js";
import { AGENT_PARAMETER } from "../registration-target.js";
import { requestStamp } from "../request-state.js";
import type { ServedOperation, ServedRequest } from "../served-operation.js";
import { calledAuthorityOf } from "../target-uri.js";

const REFUSALS = [
  { code: "unknown_agent", status: 404 },
  "expired",
  "not_yet_valid",
  "bad_signature",
  "forbidden",
] as const;

/** An agent ends itself (protocol §5.7). */
export const endAgentOperation: ServedOperation = {
  method: "post",
  path: agentEndPath(AGENT_PARAMETER),
  summary: "Ends the agent that signs, and with it all its tasks.",
  description:
    "The credential is the agent's signature in the body (protocol §5.7). A request with an `Authorization` field is refused. A repetition gets the same answer; an agent whose key was never proved is given up instead, and unknown after that.",
  isOpen: true,
  body: PUBLIC_SCHEMAS.OwnEndRequest,
  answer: { description: "The agent has ended.", schema: PUBLIC_SCHEMAS.AgentRevocation },
  refusals: REFUSALS,
  audited: "agent_revocation",
  addressLimit: "all_requests",
  serve: (context) => async (request) => {
    const { agentRuntimeId = "" } = request.params;
    const path = agentEndPath(encodeURIComponent(agentRuntimeId));
    await endBySignature(context, request, { path }, async (rows, agent, stamp) => {
      await endOwnAgent(rows, agent, stamp);
    });
    return createAgentRevocationResponse({ agentRuntimeId });
  },
};

/** An agent ends one of its tasks (protocol §5.7). */
export const endTaskOperation: ServedOperation = {
  method: "post",
  path: taskEndPath(AGENT_PARAMETER, "{task_id}"),
  summary: "Ends a task of the agent that signs.",
  description:
    "The credential is the agent's signature in the body (protocol §5.7). A request with an `Authorization` field is refused. A repetition gets the same answer.",
  isOpen: true,
  body: PUBLIC_SCHEMAS.OwnEndRequest,
  answer: { description: "The task has ended.", schema: PUBLIC_SCHEMAS.TaskEnd },
  refusals: [...REFUSALS, { code: "unknown_task", status: 404 }],
  audited: "task_revocation",
  addressLimit: "all_requests",
  serve: (context) => async (request) => {
    const { agentRuntimeId = "", taskId = "" } = request.params;
    const path = taskEndPath(encodeURIComponent(agentRuntimeId), encodeURIComponent(taskId));
    await endBySignature(context, request, { path, taskId }, async (rows, agent, stamp) => {
      if (await endOwnTask(rows, agent, taskId, stamp)) return;
      throw new Refusal("unknown_task", "this agent has no such task", { status: 404 });
    });
    return createTaskEndResponse({ agentRuntimeId, taskId });
  },
};

type Stamp = ReturnType<typeof requestStamp>;

// Not counted by agent: one whose registrations used up that limit must still be able to end what it has.
async function endBySignature(
  context: AuthorityContext,
  request: ServedRequest,
  { path, taskId }: { readonly path: string; readonly taskId?: string },
  end: (rows: Rows, agent: FoundAgent, stamp: Stamp) => Promise<void>,
): Promise<void> {
  const { agentRuntimeId = "" } = request.params;
  const asked = requestStamp(context, request);
  if (readHeaderLines(request.raw).authorization !== undefined) {
    throw new Refusal("invalid_request", "an agent's own end takes no Authorization header");
  }
  const wanted = parseOwnEndRequest(request.body);
  const authority = calledAuthorityOf(context, request.raw, path);
  if (authority === undefined) throw unknownAddress();
  const { store, maxSkewSeconds } = context;
  const found = await findAgent(store.rows, agentRuntimeId, asked);
  const publicKeys = found === undefined ? [] : await publicKeysOf(store.rows, found, asked);
  const now = asked.epochMs;
  const of = { authority, agentRuntimeId, taskId };
  const publicKey = verify(wanted, { ...of, publicKeys, now, maxSkewSeconds });
  if (found !== undefined) noteAgent(request, found);
  const stamp = actedBy(asked, { actor: `agent:${agentRuntimeId}` });
  await store.transaction(async (rows) => {
    const agent = await lockAgent(rows, agentRuntimeId, stamp);
    if (agent === undefined) throw unknownAgent();
    // The key may have ended since its signature was checked.
    const keys = await publicKeysOf(rows, agent, stamp);
    if (!keys.some((key) => key.equals(publicKey))) {
      throw new Refusal("bad_signature", "the key that signed has ended");
    }
    await end(rows, agent, stamp);
  });
}

async function publicKeysOf(
  rows: Rows,
  agent: FoundAgent,
  instant: Instant,
): Promise<readonly AgentPublicKey[]> {
  return (await findAgentKeys(rows, agent, instant)).map(({ publicKey }) => publicKey);
}

// Without a key no signature holds: that the agent is not known is then the better answer.
function verify(wanted: OwnEndRequest, options: VerifyOwnEndOptions): AgentPublicKey {
  try {
    return verifyOwnEnd(wanted, options);
  } catch (error) {
    const isUnsigned = CountersignError.is(error) && error.code === "bad_signature";
    throw isUnsigned && options.publicKeys.length === 0 ? unknownAgent() : error;
  }
}

function unknownAgent(): Refusal {
  return new Refusal("unknown_agent", "no such agent is registered here", { status: 404 });
}

function unknownAddress(): Refusal {
  return new Refusal(
    "forbidden",
    "agents do not end themselves here: this authority does not know its own address",
    { hint: "its operator sets the public URL, which the signature covers" },
  );
}
