import type { AgentIdentity, HumanAuth } from "@countersign/agent-identity";
import type {
  AuthorityClient,
  AuthorityClock,
  AuthorityRetry,
  CallPatience,
} from "@countersign/agent-identity/authority-client";
import { formatTimestamp, parseTimestamp } from "@countersign/agent-key";
import type { AgentTask, TaskScope } from "../agent-task.js";
import { AgentTaskError } from "../agent-task-error.js";
import { readTaskRegistration, sealedBoxIn } from "../schema/task-registration.js";
import { signTaskRegistration } from "../sign/sign-task-registration.js";
import { PUBLIC_KEY_BYTES } from "./sealed-box.js";
import { deriveInWorkers } from "./shared-secret.js";

/** Input of {@link requestTask}. */
export interface TaskRequest {
  readonly client: AuthorityClient;
  readonly clock: AuthorityClock;
  readonly identity: AgentIdentity;
  readonly scope: TaskScope;
  readonly idempotencyKey: string;
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
  const response = await client.request(
    {
      method: "POST",
      path: `/v1/agent/${encodeURIComponent(identity.agentRuntimeId)}/task/register`,
      headers: { "idempotency-key": request.idempotencyKey },
      body: signTaskRegistration(identity.agentRuntimeId, identity.key, registeredAt),
      signer: {
        key: identity.key,
        keyid: identity.agentRuntimeId,
        created: parseTimestamp(registeredAt) / 1000,
      },
      human: human === undefined ? undefined : { accessToken: human.accessToken, proof: "biscuit" },
    },
    options,
  );
  clock.observe(response);
  const { body } = response;
  const shared = await deriveInWorkers(identity.key, () =>
    sealedBoxIn(body)?.subarray(0, PUBLIC_KEY_BYTES),
  );
  const { taskId, expiresAt } = readTaskRegistration(body, identity.key, shared);
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
