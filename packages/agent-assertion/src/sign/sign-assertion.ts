import {
  encodeBase64Url,
  isServerId,
  parseTimestamp,
  type SyncAgentSigner,
  signWith,
} from "@countersign/agent-key";
import { AgentAssertionError } from "../agent-assertion-error.js";
import { assertionText, SCHEME } from "../schema/assertion.js";

/** What one assertion states, and the key that signs it. */
export interface SignAssertionInput {
  readonly agentRuntimeId: string;
  readonly taskId: string;
  readonly key: SyncAgentSigner;
  /** RFC 3339, UTC, whole seconds, `Z`; `formatTimestamp` makes it. */
  readonly timestamp: string;
}

/**
 * Signs one assertion and returns the whole value of the `Authorization` field.
 *
 * Pure: the same input gives the same bytes, since Ed25519 is deterministic.
 *
 * @throws {AgentAssertionError} `invalid_request` when an id or the timestamp is not of the protocol's form: such a text is not signed
 * @throws {AgentKeyError} as `signWith`
 * @see protocol.md §3, §6
 */
export function signAssertion(input: SignAssertionInput): string {
  try {
    parseTimestamp(input.timestamp);
  } catch (cause) {
    throw new AgentAssertionError("invalid_request", "a timestamp that may not be signed", {
      cause,
      hint: "it has the form YYYY-MM-DDTHH:MM:SSZ",
    });
  }
  return signAt(input);
}

/**
 * Signs as {@link signAssertion} does, at a timestamp that `formatTimestamp` made.
 *
 * @throws {AgentAssertionError} `invalid_request` when an id is not of the protocol's form
 */
export function signAt({ agentRuntimeId, taskId, key, timestamp }: SignAssertionInput): string {
  if (!isServerId(agentRuntimeId) || !isServerId(taskId)) {
    throw new AgentAssertionError("invalid_request", "an agent or task id that may not be signed", {
      hint: "ids are 1 to 256 visible ASCII characters without a colon, a slash or a quote",
    });
  }
  const signature = signWith(key, assertionText(agentRuntimeId, taskId, timestamp));
  // Members in the order of their names, as every generation of clients writes them. None of the values has a character that JSON escapes.
  const envelope = `{"agent_runtime_id":"${agentRuntimeId}","signature":"${signature}","task_id":"${taskId}","timestamp":"${timestamp}"}`;
  return `${SCHEME} ${encodeBase64Url(Buffer.from(envelope, "latin1"))}`;
}
