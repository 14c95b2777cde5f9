import { type AgentPublicKey, decodeBase64, parseTimestamp } from "@countersign/agent-key";
import {
  AgentTaskError,
  createTaskRegistrationResponse,
  parseIdempotencyKey,
  parseTaskRegistrationRequest,
  type TaskRegistration,
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
import type { Instant } from "../../registry/times.js";
import type { AgentRow } from "../../store/database.js";
import type { AuthorityContext } from "../authority-context.js";
import { commitCounted } from "../count-request.js";
import {
  checkTaskGeneration,
  checkTaskRegistrationProof,
  type HumanProof,
} from "../human-proof.js";
import { PUBLIC_SCHEMAS } from "../openapi/public-schemas.js";
import { readHeaderLines } from "../read-headers.js";
import { noteAgent } from "../refusal-record.js";
import { checkTaskRegistrationSignature } from "../registration-proof.js";
import { AGENT_PARAMETER, taskRegistrationTarget } from "../registration-target.js";
import { requestStamp } from "../request-state.js";
import type { ServedOperation, ServedRequest } from "../served-operation.js";

const idempotencyKeyField = z
  .string()
  .regex(/^[!-~]{1,256}$/)
  .exactOptional()
  .describe("A repetition with the same key gives the same task while that lives.");

/** The registration of tasks (protocol §5.5): all generations. */
export function registerTaskOperation(generations: ReadonlySet<Generation>): ServedOperation {
  return {
    method: "post",
    path: `/v1/agent/${AGENT_PARAMETER}/task/register`,
    summary: "Registers a task of an agent, by the agent's signature.",
    credentials: generations.has("A") ? ["biscuit"] : [],
    isOpen: generations.has("B") || generations.has("C"),
    headers: z.object({ "idempotency-key": idempotencyKeyField }),
    body: PUBLIC_SCHEMAS.TaskRegistrationRequest,
    answer: {
      description: "The task's id, sealed for the agent's key.",
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
      "invalid_key",
    ],
    audited: "task_registration",
    addressLimit: "all_requests",
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
  const signer = await findAgent(rows, agentRuntimeId, stamp);
  const keys = signer === undefined ? [] : await findAgentKeys(rows, signer, stamp);
  const publicKeys = keys.map(({ publicKey }) => publicKey);
  const publicKey = checkSignature(registration, agentRuntimeId, publicKeys, context, stamp);
  if (signer !== undefined) noteAgent(request, signer);
  const { timestamp } = registration;
  checkTaskRegistrationSignature(context, request.raw, agentRuntimeId, [publicKey], timestamp);
  const subject = agentSubject(agentRuntimeId);
  const { key, task } = await commitCounted(context, request.raw, subject, async (rows) => {
    await proof?.spend(rows);
    if (signer?.proven_at === null) await lockClaims(rows, agentRuntimeId);
    // Read again under a lock: it may have been revoked, or its claim voided, a moment ago.
    const current = await lockAgent(rows, agentRuntimeId, stamp);
    if (current === undefined) throw unknownAgent();
    checkOwner(current, proof);
    checkTaskGeneration(context, current, proof);
    const signed = actedBy(stamp, `agent:${agentRuntimeId}`);
    return {
      key: await useKey(rows, current, publicKey, signed),
      task: await registerTask(rows, current, idempotencyKey, context.taskPolicy, signed),
    };
  });
  const end = fixedEndOf(task);
  return createTaskRegistrationResponse(
    { taskId: task.task_id, expiresAt: end === null ? undefined : parseTimestamp(end) },
    decodeBase64(key.x25519PublicKey),
  );
}

// Time, then that the agent is known, then the signature; its state only after that held (protocol §8).
function checkSignature(
  registration: TaskRegistration,
  agentRuntimeId: string,
  publicKeys: readonly AgentPublicKey[],
  { maxSkewSeconds }: AuthorityContext,
  instant: Instant,
): AgentPublicKey {
  try {
    const { publicKey } = verifyTaskRegistration(registration, agentRuntimeId, publicKeys, {
      now: instant.epochMs,
      maxSkewSeconds,
    });
    return publicKey;
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
