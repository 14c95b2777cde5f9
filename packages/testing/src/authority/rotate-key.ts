import { type Answer, json, problem } from "./answer.js";
import type { TestAgent } from "./authority-types.js";
import { isSigned } from "./ssh-key.js";

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

const MAX_SKEW_MS = 300_000;
const FORMER_KEY_MS = 24 * 60 * 60 * 1000;

/** @internal A rotation as it was received. */
export interface ReceivedRotation {
  /** Base URL. */
  readonly authority: string;
  readonly body: Readonly<Record<string, unknown>>;
  readonly now: number;
}

/** @internal Checks a rotation, performs it, and answers it. */
export function rotateKey(
  agent: Mutable<TestAgent>,
  others: readonly TestAgent[],
  { authority, body, now }: ReceivedRotation,
): Answer {
  const { agent_public_key: line, timestamp, signature, new_key_signature: own } = body;
  if (
    typeof line !== "string" ||
    typeof timestamp !== "string" ||
    typeof signature !== "string" ||
    typeof own !== "string"
  ) {
    return problem(400, "invalid_request", "not a key rotation");
  }
  const { agentRuntimeId } = agent;
  const skew = now - Date.parse(timestamp);
  if (!(skew <= MAX_SKEW_MS)) return problem(401, "expired", "signed too long ago");
  if (skew < -MAX_SKEW_MS) return problem(401, "not_yet_valid", "signed in the future");
  const text = ["countersign-rotate-v1", authority, agentRuntimeId, timestamp, line].join("\n");
  const isRepetition = line === agent.publicKey;
  const signers = isRepetition ? keysOf(agent).slice(1) : [agent.publicKey];
  if (!isSigned(text, own, line) || !signers.some((key) => isSigned(text, signature, key))) {
    return problem(401, "bad_signature", "the signatures do not hold");
  }
  if (agent.state !== "active") {
    return problem(401, `agent_${agent.state}`, `the agent is ${agent.state}`);
  }
  if (!isRepetition) {
    if ([agent, ...others].some((other) => keysOf(other).includes(line))) {
      return problem(409, "invalid_key", "the key is somebody's already");
    }
    agent.formerKeys = [agent.publicKey, ...agent.formerKeys];
    agent.publicKey = line;
  }
  if (body.compromised === true) endFormerKeys(agent);
  const endsAt = new Date(now + FORMER_KEY_MS).toISOString().replace(/\.\d+Z$/, "Z");
  return json({
    agent_runtime_id: agentRuntimeId,
    agent_public_key: line,
    former_key_ends_at: agent.formerKeys.length === 0 ? null : endsAt,
  });
}

/** @internal All keys that an agent has or had, the newest first. */
export function keysOf(agent: TestAgent): readonly string[] {
  return [agent.publicKey, ...agent.formerKeys, ...agent.endedKeys];
}

/** @internal */
export function endFormerKeys(agent: Mutable<TestAgent>): void {
  agent.endedKeys = [...agent.formerKeys, ...agent.endedKeys];
  agent.formerKeys = [];
}
