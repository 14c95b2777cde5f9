import { type AgentPublicKey, decodeBase64, parseTimestamp } from "@countersign/agent-key";
import {
  AgentTaskError,
  createPlainTaskRegistrationResponse,
  createTaskRegistrationResponse,
  parseIdempotencyKey,
  parseTaskRegistrationRequest,
  type TaskRegistration,
  type VerifyTaskRegistrationOptions,
  verifyTaskRegistration,
} from "@countersign/agent-task/server";
import * as z from "zod";
import { agentSubject } from "../../limits/limit-subject.js";
import { findAgentKeys, useKey } from "../../registry/agent-keys.js";
import { actedBy } from "../../registry/audit-stamp.js";
import type { Generation } from "../../registry/generations.js";
import { findAgent, lockAgent } from "../../registry/operate-agents.js";
import { lockClaims } from "../../registry/prove-key.js";
import { Refusal } from "../../registry/refusal.js";
import { isOwnedBy } from "../../registry/register-agent.js";
import { registerTask } from "../../registry/register-task.js";
import { fixedEndOf } from "../../registry/task-end.js";
import type { AgentRow } from "../../store/database.js";
import type { AuthorityContext } from "../authority-context.js";
import { commitCounted } from "../count-request.js";
import {
  checkTaskGeneration,
  checkTaskRegistrationProof,
  type HumanProof,
} from "../human-proof.js";
import { noteLimitUse } from "../note-limit-use.js";
import { PROOF_FIELDS } from "../openapi/proof-fields.js";
import { PUBLIC_SCHEMAS } from "../openapi/public-schemas.js";
import { readHeaderLines } from "../read-headers.js";
import { noteAgent } from "../refusal-record.js";
import { checkTaskRegistrationSignature } from "../registration-proof.js";
import { AGENT_PARAMETER, taskRegistrationTarget } from "../registration-target.js";
import { requestStamp } from "../request-state.js";
import type { ServedOperation, ServedRequest } from "../served-operation.js";
import { calledAuthorityOf } from "../target-uri.js";

const idempotencyKeyField = z
  .string()
  .regex(/^[!-~]{1,256}$/)
  .exactOptional()
  .describe(
    "A repetition with the same value gets the same task while that lives. A registration proof must cover this field.",
  );

/** The registration of tasks (protocol §5.5): all generations. */
export function registerTaskOperation(generations: ReadonlySet<Generation>): ServedOperation {
  return {
    method: "post",
    path: `/v1/agent/${AGENT_PARAMETER}/task/register`,
    summary: "Registers a task of an agent.",
    description:
      "The credential is the agent's signature in the body (protocol §5.5); clients of generation A send a biscuit as well. A request with an `Authorization` field is refused. A registration proof in `Signature-Input`, `Signature` and `Content-Digest` covers the whole request (protocol §5.3). Without an `Idempotency-Key` each request makes another task. With `plain_task_id` the answer has the task's id in clear, for a key that opens no sealed box; the operator may refuse that (`forbidden`).",
    credentials: generations.has("A") ? ["biscuit"] : [],
    isOpen: generations.has("B") || generations.has("C"),
    headers: z.object({ "idempotency-key": idempotencyKeyField, ...PROOF_FIELDS.shape }),
    body: PUBLIC_SCHEMAS.TaskRegistrationRequest,
    answer: {
      description:
        "The task's id, sealed for the agent's key; in clear if the agent asked for that.",
      schema: PUBLIC_SCHEMAS.TaskRegistration,
    },
    refusals: [
      "biscuit_invalid",
      "expired",
      "not_yet_valid",
      "unknown_agent",
      "bad_signature",
      "agent_revoked",
      "agent_expired",
      "forbidden",
      "task_limit",
      "invalid_key",
    ],
    audited: "task_registration",
    addressLimit: "all_requests",
    countedBy: "agent",
    registers: "task",
    serve: (context) => (request) => register(context, request),
  };
}

async function register(context: AuthorityContext, request: ServedRequest) {
  const { agentRuntimeId = "" } = request.params;
  const { rows } = context.store;
  const stamp = requestStamp(context, request);
  const headers = readHeaderLines(request.raw);
  const idempotencyKey = parseIdempotencyKey(single(headers["idempotency-key"]));
  const target = taskRegistrationTarget(agentRuntimeId);
  const proof = await checkTaskRegistrationProof(context, headers, target, stamp);
  const registration = parseTaskRegistrationRequest(request.body);
  const plain = checkPlain(context, request, registration, { target, idempotencyKey });
  const signer = await findAgent(rows, agentRuntimeId, stamp);
  const keys = signer === undefined ? [] : await findAgentKeys(rows, signer, stamp);
  const publicKeys = keys.map(({ publicKey }) => publicKey);
  const { maxSkewSeconds } = context;
  const publicKey = checkSignature(registration, agentRuntimeId, publicKeys, {
    now: stamp.epochMs,
    maxSkewSeconds,
    plain,
  });
  if (signer !== undefined) noteAgent(request, signer);
  const { timestamp } = registration;
  checkTaskRegistrationSignature(context, request.raw, agentRuntimeId, [publicKey], timestamp);
  const wish = { idempotencyKey, threadLabel: registration.thread_label };
  const subject = agentSubject(agentRuntimeId);
  const { key, admitted } = await commitCounted(context, request.raw, subject, async (rows) => {
    await proof?.spend(rows);
    if (signer?.proven_at === null) await lockClaims(rows, agentRuntimeId);
    // Read again under a lock: it may have been revoked, or its claim voided, a moment ago.
    const current = await lockAgent(rows, agentRuntimeId, stamp);
    if (current === undefined) throw unknownAgent();
    checkOwner(current, proof);
    checkTaskGeneration(context, current, proof);
    const signed = actedBy(stamp, { actor: `agent:${agentRuntimeId}` });
    return {
      key: await useKey(rows, current, publicKey, signed),
      admitted: await registerTask(rows, current, wish, context.taskPolicy, signed),
    };
  });
  const { task, use } = admitted;
  noteLimitUse(context, use, { agent_runtime_id: agentRuntimeId });
  const end = fixedEndOf(task);
  const registered = {
    taskId: task.task_id,
    expiresAt: end === null ? undefined : parseTimestamp(end),
  };
  return plain === undefined
    ? createTaskRegistrationResponse(registered, decodeBase64(key.x25519PublicKey))
    : createPlainTaskRegistrationResponse(registered);
}

// What a plain registration signs besides its body; `undefined`: the answer is sealed (protocol T-11, T-12).
function checkPlain(
  context: AuthorityContext,
  request: ServedRequest,
  { plain_task_id }: TaskRegistration,
  { target, idempotencyKey }: { readonly target: string; idempotencyKey: string | undefined },
): VerifyTaskRegistrationOptions["plain"] {
  if (plain_task_id === undefined) return undefined;
  if (context.plainTaskIds === "refuse") {
    throw new Refusal("forbidden", "this authority gives task ids in sealed boxes alone", {
      hint: "use a key that opens them, as an AgentKey does, or ask the operator to allow plain task ids (plain_task_ids)",
    });
  }
  const authority = calledAuthorityOf(context, request.raw, target);
  if (authority !== undefined) return { authority, idempotencyKey };
  throw new Refusal(
    "forbidden",
    "plain task ids are not given here: this authority does not know its own address",
    { hint: "its operator sets the public URL, which the agent signs" },
  );
}

// Time, then that the agent is known, then the signature; its state only after that held (protocol T-2, T-4).
function checkSignature(
  registration: TaskRegistration,
  agentRuntimeId: string,
  publicKeys: readonly AgentPublicKey[],
  options: VerifyTaskRegistrationOptions,
): AgentPublicKey {
  try {
    return verifyTaskRegistration(registration, agentRuntimeId, publicKeys, options).publicKey;
  } catch (error) {
    // Without a key no signature holds; that the agent is not known is the better answer, and the client's cue to register one.
    const isUnsigned = AgentTaskError.is(error) && error.code === "bad_signature";
    throw isUnsigned && publicKeys.length === 0 ? unknownAgent() : error;
  }
}

function checkOwner(agent: AgentRow, proof: HumanProof | undefined): void {
  if (proof !== undefined && !isOwnedBy(agent, proof.principal)) {
    throw new Refusal("biscuit_invalid", "the agent belongs to another account or user");
  }
}

function unknownAgent(): Refusal {
  return new Refusal("unknown_agent", "no such agent is registered here", {
    hint: "register an agent, then the task",
  });
}

function single(values: readonly string[] | undefined): string | readonly string[] | undefined {
  return values?.length === 1 ? values[0] : values;
}
