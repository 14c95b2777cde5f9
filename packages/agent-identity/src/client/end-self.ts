import { formatTimestamp } from "@countersign/agent-key";
import { hasInRow } from "@countersign/agent-key/codes";
import { AuthorityError } from "../authority-error.js";
import { parseAgentRevocationResponse } from "../schema/agent-revocation.js";
import {
  agentEndPath,
  createOwnEndRequest,
  parseTaskEndResponse,
  taskEndPath,
} from "../schema/own-end.js";
import type { AuthorityClock } from "./authority-clock.js";
import type {
  AuthorityCallOptions,
  AuthorityRequester,
  AuthorityResponse,
  OwnEndOptions,
} from "./authority-request.js";
import { anotherAgent } from "./change-agent.js";

/** Ends an agent by its own key. See `AuthorityClient.endAgent`. */
export async function endAgent(
  client: AuthorityRequester,
  clock: AuthorityClock,
  { agentRuntimeId, key }: OwnEndOptions,
  options: AuthorityCallOptions = {},
): Promise<void> {
  let isRepeated = false;
  const onRetry: AuthorityCallOptions["onRetry"] = (retry) => {
    isRepeated = true;
    options.onRetry?.(retry);
  };
  const path = agentEndPath(encodeURIComponent(agentRuntimeId));
  try {
    const end = { agentRuntimeId, key, path };
    const { body } = await inTime(client, clock, end, { ...options, onRetry });
    if (parseAgentRevocationResponse(body).agentRuntimeId === agentRuntimeId) return;
    throw anotherAgent("end");
  } catch (error) {
    // protocol.md X-5: the first attempt, whose answer was lost, ended an agent whose key was never proved, and nothing is left of it.
    const isGone = AuthorityError.is(error) && error.code === "unknown_agent";
    if (!isRepeated || !isGone) throw error;
  }
}

/** Ends a task by its agent's key. See `AuthorityClient.endTask`. */
export async function endTask(
  client: AuthorityRequester,
  clock: AuthorityClock,
  { agentRuntimeId, key, taskId }: OwnEndOptions & { readonly taskId: string },
  options: AuthorityCallOptions = {},
): Promise<void> {
  const path = taskEndPath(encodeURIComponent(agentRuntimeId), encodeURIComponent(taskId));
  const end = { agentRuntimeId, key, taskId, path };
  const { body } = await inTime(client, clock, end, options);
  parseTaskEndResponse(body, { agentRuntimeId, taskId });
}

type SentEnd = OwnEndOptions & { readonly path: string; readonly taskId?: string };

// protocol.md F-9: signed once more if the authority refused the time. Its refusal says what its clock says.
async function inTime(
  client: AuthorityRequester,
  clock: AuthorityClock,
  end: SentEnd,
  options: AuthorityCallOptions,
): Promise<AuthorityResponse> {
  const endsAt = performance.now() + (options.deadlineMs ?? client.deadlineMs);
  const send = () => sendOnce(client, clock.now(), end, { ...options, endsAt });
  const usedOffsetSeconds = clock.offsetSeconds;
  try {
    return await send();
  } catch (error) {
    if (!AuthorityError.is(error)) throw error;
    const { code } = error;
    if (!hasInRow(code, "onRegistration", "correct_time")) throw error;
    if (!(await clock.learn(code, usedOffsetSeconds, async () => {}))) throw error;
    return await send();
  }
}

async function sendOnce(
  client: AuthorityRequester,
  nowMs: number,
  { key, agentRuntimeId, taskId, path }: SentEnd,
  { endsAt, ...options }: AuthorityCallOptions & { readonly endsAt: number },
): Promise<AuthorityResponse> {
  const { authority } = client;
  const end = { authority, agentRuntimeId, taskId, timestamp: formatTimestamp(nowMs) };
  // A signer that hangs is found before the call's time is over: that would look like an authority that does not answer.
  const signing = Math.max(1, Math.floor((endsAt - performance.now()) / 4));
  const body = await createOwnEndRequest(end, key, {
    signal: options.signal,
    deadlineMs: signing,
  });
  return await client.request(
    { method: "POST", path, body, retry: true },
    { ...options, deadlineMs: Math.max(endsAt - performance.now(), 0) },
  );
}
