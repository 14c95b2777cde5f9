import { createOwnEndRequest, ownEndText } from "@countersign/agent-identity/authority-client";
import { parseOwnEndRequest, verifyOwnEnd } from "@countersign/agent-identity/server";
import { AgentKey, AgentPublicKey, parseTimestamp } from "@countersign/agent-key";
import type { OwnEndFile } from "../schema/own-end-file.js";
import { nameOf, type VectorCheck } from "../vector-check.js";

type Build = OwnEndFile["build"][number];
type Check = OwnEndFile["check"][number];

/**
 * The checks of a file of form `countersign.own-end/1`.
 *
 * @throws {CountersignError} if the file's clock is not a timestamp
 */
export function checkOwnEnd(file: OwnEndFile): readonly VectorCheck[] {
  parseTimestamp(file.now);
  return [
    ...file.build.map((vector, index) => ({
      name: nameOf("build", index, vector),
      expected: JSON.stringify({ signed_text: vector.signed_text, body: vector.body }),
      run: () => build(vector),
    })),
    ...file.check.map((vector, index) => ({
      name: nameOf("check", index, vector),
      expected: vector.expected,
      run: () => judge(vector, file),
    })),
  ];
}

async function build(vector: Build): Promise<string> {
  const { authority, agent_runtime_id: agentRuntimeId, task_id: taskId, timestamp } = vector;
  const end = { authority, agentRuntimeId, taskId, timestamp };
  const key = AgentKey.importPkcs8(vector.private_key_pkcs8_base64);
  return JSON.stringify({
    signed_text: ownEndText(end),
    body: await createOwnEndRequest(end, key),
  });
}

function judge(vector: Check, { authority, now, max_skew_seconds }: OwnEndFile): string {
  verifyOwnEnd(parseOwnEndRequest(vector.body), {
    authority,
    agentRuntimeId: vector.agent_runtime_id,
    taskId: vector.task_id,
    publicKeys: vector.public_keys.map((line) => AgentPublicKey.parse(line)),
    now: vector.now_ms ?? parseTimestamp(now),
    maxSkewSeconds: max_skew_seconds,
  });
  return "ended";
}
