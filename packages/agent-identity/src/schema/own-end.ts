import type { AgentSigner } from "@countersign/agent-key";
import { type SignWithOptions, signWithAsync } from "@countersign/agent-key/signers";
import * as v from "valibot";
import { AgentIdentityError } from "../agent-identity-error.js";
import { describeIssues } from "./describe-issues.js";
import { serverId } from "./fields.js";
import type { ownEndRequestSchema } from "./own-end-request.js";

/**
 * Where an agent ends itself, below the authority's base URL: `/v1/agent/{id}/end`.
 *
 * @param agentRuntimeId - an id, or a router's placeholder for one; written as it is
 */
export function agentEndPath(agentRuntimeId: string): string {
  return `/v1/agent/${agentRuntimeId}/end`;
}

/** Where an agent ends one of its tasks: `/v1/agent/{id}/task/{task_id}/end`. Both are written as they are. */
export function taskEndPath(agentRuntimeId: string, taskId: string): string {
  return `/v1/agent/${agentRuntimeId}/task/${taskId}/end`;
}

/** Answer to the end of a task: `{agent_runtime_id, task_id, task_state: "revoked"}`. Unknown members are ignored. */
export const taskEndResponseSchema = v.pipe(
  v.object({
    agent_runtime_id: v.pipe(serverId, v.description("The id of the agent.")),
    task_id: v.pipe(serverId, v.description("The id of the task.")),
    task_state: v.pipe(v.literal("revoked"), v.description("The task has ended.")),
  }),
  v.description("The task that its agent ended (protocol §5.7)."),
);

/** What an agent ends: itself, or with `taskId` that task alone. */
export interface OwnEnd {
  /** Base URL of the authority as the client calls it, normalised, with its prefix; as in a key rotation. */
  readonly authority: string;
  readonly agentRuntimeId: string;
  /** The task that ends. Absent: the agent itself. */
  readonly taskId?: string | undefined;
  /** RFC 3339, UTC, whole seconds, `Z`. */
  readonly timestamp: string;
}

/**
 * The text that an agent signs to end itself or a task.
 *
 * @see protocol.md §5.7
 */
export function ownEndText({ authority, agentRuntimeId, taskId, timestamp }: OwnEnd): string {
  // None of them can hold a line break: a base URL, ids of protocol §3, a timestamp.
  const lines =
    taskId === undefined
      ? ["countersign-end-agent-v1", authority, agentRuntimeId, timestamp]
      : ["countersign-end-task-v1", authority, agentRuntimeId, taskId, timestamp];
  return lines.join("\n");
}

/**
 * Makes the body by which an agent ends itself or a task.
 *
 * @throws {AgentKeyError} as `signWithAsync`
 */
export async function createOwnEndRequest(
  end: OwnEnd,
  key: AgentSigner,
  options?: SignWithOptions,
): Promise<v.InferInput<typeof ownEndRequestSchema>> {
  return {
    timestamp: end.timestamp,
    signature: await signWithAsync(key, ownEndText(end), options),
  };
}

/** Makes the authority's answer to the end of a task. */
export function createTaskEndResponse(ended: {
  readonly agentRuntimeId: string;
  readonly taskId: string;
}): v.InferInput<typeof taskEndResponseSchema> {
  return { agent_runtime_id: ended.agentRuntimeId, task_id: ended.taskId, task_state: "revoked" };
}

/**
 * Reads the parsed JSON answer to the end of a task.
 *
 * @throws {AgentIdentityError} `bad_response` if it does not say that this task of this agent has ended
 */
export function parseTaskEndResponse(
  body: unknown,
  expected: { readonly agentRuntimeId: string; readonly taskId: string },
): void {
  const parsed = v.safeParse(taskEndResponseSchema, body);
  const isSame =
    parsed.success &&
    parsed.output.agent_runtime_id === expected.agentRuntimeId &&
    parsed.output.task_id === expected.taskId;
  if (isSame) return;
  const what = parsed.success ? "it is about another one" : describeIssues(parsed);
  throw new AgentIdentityError(
    "bad_response",
    `the authority does not say that the task has ended: ${what}`,
    { hint: "ask the authority's operator to revoke it" },
  );
}
