import type { AgentIdentity, HumanAuth } from "@countersign/agent-identity";
import type {
  AuthorityClient,
  AuthorityClock,
  AuthorityRetry,
  CallPatience,
} from "@countersign/agent-identity/authority-client";
import { formatTimestamp, parseTimestamp } from "@countersign/agent-key";
import { hideCredentials } from "@countersign/agent-key/redaction";
import { agentAttributes, inSpan, type SpanOptions } from "@countersign/agent-key/tracing";
import { type AgentTask, RUN, type TaskScope } from "../agent-task.js";
import { AgentTaskError } from "../agent-task-error.js";
import { readTaskAnswer, toRegisteredTask } from "../schema/task-answer.js";
import { signPlainTaskRegistrationAsync } from "../sign/sign-plain-task-registration.js";
import {
  signTaskRegistrationAsync,
  type TaskRegistration,
} from "../sign/sign-task-registration.js";
import { loadAndOpenBox } from "./open-box.js";
import { withPlainHint } from "./plain-hint.js";

/** Input of {@link requestTask}. */
export interface TaskRequest {
  readonly client: AuthorityClient;
  readonly clock: AuthorityClock;
  readonly identity: AgentIdentity;
  readonly scope: TaskScope;
  readonly idempotencyKey: string;
  /** What the task is called. */
  readonly label: string | undefined;
  /** The human whose biscuit goes with it (generation A). Absent: the signature is the only credential (generation C). */
  readonly human: HumanAuth | undefined;
  readonly signal: AbortSignal;
  readonly patience: CallPatience;
  readonly onRetry: (retry: AuthorityRetry) => void;
}

/**
 * Registers one task: one call to the authority, retried by the client under one `Idempotency-Key`.
 *
 * @throws {AuthorityError} what the authority refused
 * @throws {AgentTaskError} `bad_response` when its answer names no task, or one that has ended
 * @see docs/protocol.md §5.5
 */
export async function requestTask(request: TaskRequest): Promise<AgentTask> {
  const { client, clock, identity, human } = request;
  const registeredAt = formatTimestamp(clock.now());
  const options = {
    ...request.patience,
    signal: request.signal,
    onRetry: request.onRetry,
  };
  const { agentRuntimeId, key } = identity;
  const response = await inSpan("register task", spanOf(request), async () => {
    const signed = await signBody(request, registeredAt);
    const { label } = request;
    const body = label === undefined ? signed : { ...signed, thread_label: label };
    const answer = client.request(
      {
        method: "POST",
        path: `/v1/agent/${encodeURIComponent(agentRuntimeId)}/task/register`,
        headers: { "idempotency-key": request.idempotencyKey },
        body,
        signer: {
          key,
          keyid: agentRuntimeId,
          created: parseTimestamp(registeredAt) / 1000,
        },
        human:
          human === undefined ? undefined : { accessToken: human.accessToken, proof: "biscuit" },
      },
      options,
    );
    return await (body.plain_task_id === undefined ? answer : withPlainHint(answer));
  });
  clock.observe(response);
  const answer = readTaskAnswer(response.body);
  const { sealedBox } = answer;
  const opened = sealedBox && (await loadAndOpenBox(sealedBox, key));
  const { taskId, expiresAt } = toRegisteredTask(answer, opened);
  const task: AgentTask = {
    authority: identity.authority,
    agentRuntimeId: identity.agentRuntimeId,
    taskId,
    key: identity.key,
    scope: request.scope,
    registeredAt,
    expiresAt,
  };
  // Checked by the authority's clock if its answer states the time, so that a wrong local clock does not reject a valid task.
  if (expiresAt !== undefined && expiresAt <= clock.latest()) {
    throw new AgentTaskError("bad_response", "the authority registered a task that has ended", {
      hint: "compare the clocks of this machine and of the authority",
    });
  }
  return task;
}

// A key that opens no sealed box asks for the task id in clear, and signs that it does (docs/protocol.md T-11).
async function signBody(
  { client, identity, idempotencyKey, signal, patience }: TaskRequest,
  timestamp: string,
): Promise<TaskRegistration> {
  const { agentRuntimeId, key } = identity;
  // A signer that hangs is found before the turn's time is over: that would look like an authority that does not answer.
  const deadlineMs = Math.max(1, Math.floor((patience.deadlineMs ?? client.deadlineMs) / 2));
  const options = { signal, deadlineMs };
  if (key.toX25519PrivateKey !== undefined) {
    return await signTaskRegistrationAsync(agentRuntimeId, key, timestamp, options);
  }
  const { authority } = client;
  const registration = { authority, agentRuntimeId, timestamp, idempotencyKey };
  return await signPlainTaskRegistrationAsync(registration, key, options);
}

function spanOf({ identity, scope }: TaskRequest): SpanOptions {
  const { agentRuntimeId, accountId, userId } = identity;
  const attributes = () => {
    const threadId = scope === RUN ? undefined : hideCredentials(scope);
    return agentAttributes({ agentRuntimeId, accountId, userId, threadId });
  };
  return { tracer: "@countersign/agent-task", kind: "internal", attributes };
}
