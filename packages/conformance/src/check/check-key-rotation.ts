import {
  AuthorityClient,
  createKeyRotationRequest,
  keyRotationText,
  parseKeyRotationResponse,
} from "@countersign/agent-identity/authority-client";
import { parseKeyRotationRequest, verifyKeyRotation } from "@countersign/agent-identity/server";
import { AgentKey, AgentPublicKey, formatTimestamp, parseTimestamp } from "@countersign/agent-key";
import type { KeyRotationFile } from "../schema/key-rotation-file.js";
import { nameOf, outcome, type VectorCheck } from "../vector-check.js";
import { answering } from "./answering.js";

type Build = KeyRotationFile["build"][number];
type Check = KeyRotationFile["check"][number];
type Answer = KeyRotationFile["invalid"][number];

/**
 * The checks of a file of form `countersign.key-rotation/1`.
 *
 * @throws {CountersignError} if the file's clock is not a timestamp
 */
export function checkKeyRotation(file: KeyRotationFile): readonly VectorCheck[] {
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
    ...file.valid.map((vector, index) => ({
      name: nameOf("valid", index, vector),
      expected: outcome({
        agent_runtime_id: vector.agent_runtime_id,
        ssh_public_key: vector.ssh_public_key,
        former_key_ends_at: String(vector.former_key_ends_at),
      }),
      run: () => read(vector, file),
    })),
    ...file.invalid.map((vector, index) => ({
      name: nameOf("invalid", index, vector),
      expected: "bad_response",
      run: () => read(vector, file),
    })),
  ];
}

function build(vector: Build): string {
  const { authority, agent_runtime_id: agentRuntimeId, timestamp, compromised } = vector;
  const next = AgentKey.importPkcs8(vector.new_private_key_pkcs8_base64);
  const current = AgentKey.importPkcs8(vector.private_key_pkcs8_base64);
  const rotation = { authority, agentRuntimeId, timestamp };
  return JSON.stringify({
    signed_text: keyRotationText({ ...rotation, newPublicKey: next.publicKey }),
    body: createKeyRotationRequest(rotation, { current, next, compromised }),
  });
}

function judge(vector: Check, { authority, now, max_skew_seconds }: KeyRotationFile): string {
  const { isRepetition } = verifyKeyRotation(parseKeyRotationRequest(vector.body), {
    authority,
    agentRuntimeId: vector.agent_runtime_id,
    currentKeys: vector.current_public_keys.map((line) => AgentPublicKey.parse(line)),
    endedKeys: vector.ended_public_keys.map((line) => AgentPublicKey.parse(line)),
    now: vector.now_ms ?? parseTimestamp(now),
    maxSkewSeconds: max_skew_seconds,
  });
  return isRepetition ? "repeated" : "rotated";
}

async function read({ body, requested }: Answer, { authority, now }: KeyRotationFile) {
  const answer =
    requested === undefined
      ? parseKeyRotationResponse(body)
      : await new AuthorityClient({ authority, fetch: answering(body) }).rotateKey({
          accessToken: "token",
          agentRuntimeId: requested.agent_runtime_id,
          timestamp: now,
          current: AgentKey.generate(),
          next: AgentKey.importPkcs8(requested.new_private_key_pkcs8_base64),
        });
  const { agentRuntimeId, publicKey, formerKeyEndsAt } = answer;
  return outcome({
    agent_runtime_id: agentRuntimeId,
    ssh_public_key: publicKey.line,
    former_key_ends_at: formerKeyEndsAt === null ? "null" : formatTimestamp(formerKeyEndsAt),
  });
}
