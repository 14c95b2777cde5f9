import { type AgentKey, encodeBase64Url, isServerId, parseTimestamp } from "@countersign/agent-key";
import { AgentAssertionError } from "../agent-assertion-error.js";
import { assertionText, SCHEME } from "../schema/assertion-form.js";

/** What one assertion states, and the key that signs it. */
export interface SignAssertionInput {
  readonly agentRuntimeId: string;
  readonly taskId: string;
  readonly key: AgentKey;
  /** RFC 3339, UTC, whole seconds, `Z`; `formatTimestamp` makes it. */
  readonly timestamp: string;
}

/**
 * Signs one assertion and returns the whole value of the `Authorization` field.
 *
 * Pure: the same input gives the same bytes, since Ed25519 is deterministic.
 *
 * @throws {AgentAssertionError} `invalid_request` when an id or the timestamp is not of the protocol's form: such a text is not signed
 * @see protocol.md §2, §4
 */
export function signAssertion(input: SignAssertionInput): string {
  const { agentRuntimeId, taskId, key, timestamp } = input;
  if (!isServerId(agentRuntimeId) || !isServerId(taskId)) {
    throw new AgentAssertionError("invalid_request", "an agent or task id that may not be signed", {
      hint: "ids are 1 to 256 visible ASCII characters without a colon, a slash or a quote",
    });
  }
  try {
    parseTimestamp(timestamp);
  } catch (cause) {
    throw new AgentAssertionError("invalid_request", "a timestamp that may not be signed", {
      cause,
      hint: "it has the form YYYY-MM-DDTHH:MM:SSZ",
    });
  }
  // Members in the order of their names, as every generation of clients writes them.
  const envelope = JSON.stringify({
    agent_runtime_id: agentRuntimeId,
    signature: key.signText(assertionText(agentRuntimeId, taskId, timestamp)),
    task_id: taskId,
    timestamp,
  });
  return `${SCHEME} ${encodeBase64Url(Buffer.from(envelope, "utf8"))}`;
}
