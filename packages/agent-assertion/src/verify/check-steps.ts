import { REJECTION_TEXTS } from "@countersign/agent-key";
import type { BindingSettings } from "../binding/binding-policy.js";
import { BINDING_CAPABILITY, type CheckedBinding, checkBinding } from "../binding/check-binding.js";
import { checkContentDigest } from "../binding/check-content-digest.js";
import type { RequestFacts } from "../binding/request-facts.js";
import type { AgentRecord, LifeState, TaskRecord } from "../directory/agent-directory.js";
import {
  AssertionRejected,
  type RejectedCaller,
  type RejectionCode,
} from "./assertion-rejected.js";
import type { ParsedAssertion } from "./parse-assertion.js";
import type { AssertionPolicy } from "./verified-assertion.js";

/** The ids that an assertion names. */
export interface NamedIds {
  readonly agentRuntimeId: string;
  readonly taskId: string;
}

/** The refusal with a code; `proven` is the agent whose signature held. */
export function rejected(
  code: Exclude<RejectionCode, "missing" | "malformed">,
  ids: NamedIds,
  proven?: AgentRecord,
  cause?: unknown,
): AssertionRejected {
  const { agentRuntimeId, taskId } = ids;
  const claimed: RejectedCaller = { agentRuntimeId, taskId };
  return new AssertionRejected(code, REJECTION_TEXTS[code], {
    cause,
    claimed,
    proven: proven && { ...claimed, accountId: proven.accountId, userId: proven.userId },
  });
}

/** Check 3. */
export function requireKnownAgent(ids: NamedIds, agent: AgentRecord | undefined): AgentRecord {
  if (agent?.agentRuntimeId !== ids.agentRuntimeId) throw rejected("unknown_agent", ids);
  return agent;
}

/** Check 5. */
export function requireLiveAgent(ids: NamedIds, agent: AgentRecord, now: number): void {
  const state = stateAt(now, agent);
  if (state !== "active") throw rejected(`agent_${state}`, ids, agent);
}

/** Check 6. */
export function requireLiveTask(
  ids: NamedIds,
  agent: AgentRecord,
  task: TaskRecord | undefined,
  now: number,
): void {
  if (task?.taskId !== ids.taskId) throw rejected("unknown_task", ids, agent);
  const state = stateAt(now, task);
  if (state !== "active") throw rejected(`task_${state}`, ids, agent);
}

/** Check 7: account and capability. */
export function requireAllowed(
  ids: NamedIds,
  agent: AgentRecord,
  policy: AssertionPolicy | undefined,
): void {
  const { accounts, capability } = policy ?? {};
  const served = accounts === undefined || accounts.includes(agent.accountId);
  const capable = capability === undefined || agent.capabilities.includes(capability);
  if (!served || !capable) throw rejected("forbidden", ids, agent);
}

/** Check 7: the signature that binds the request, if it has one or must have one. Body and nonce are yet to be checked. */
export function requireBinding(
  parsed: ParsedAssertion,
  agent: AgentRecord,
  request: RequestFacts | undefined,
  { policy, publicUrl }: BindingSettings,
): CheckedBinding | undefined {
  try {
    const binding = request && checkBinding(parsed, agent, request, publicUrl);
    if (binding !== undefined) return binding;
  } catch (cause) {
    throw rejected("binding_mismatch", parsed, agent, cause);
  }
  if (policy === "require" || agent.capabilities.includes(BINDING_CAPABILITY)) {
    throw rejected("binding_required", parsed, agent);
  }
  return undefined;
}

/** Check 7: the body of a bound request has the covered digest, or no byte if none is covered. A body without a byte is no body. */
export function requireBody(
  ids: NamedIds,
  agent: AgentRecord,
  contentDigest: string | undefined,
  body: Uint8Array = new Uint8Array(),
): void {
  const hasBody = body.length > 0;
  if (hasBody !== (contentDigest !== undefined)) {
    throw rejected("binding_mismatch", ids, agent);
  }
  try {
    if (contentDigest !== undefined) checkContentDigest(contentDigest, body);
  } catch (cause) {
    throw rejected("binding_mismatch", ids, agent, cause);
  }
}

// A state that is none of the three counts as over: records may come from a directory without types.
function stateAt(now: number, record: AgentRecord | TaskRecord): LifeState {
  if (record.state === "revoked") return "revoked";
  const isOver = record.expiresAt !== undefined && !(now < record.expiresAt);
  return record.state === "active" && !isOver ? "active" : "expired";
}
