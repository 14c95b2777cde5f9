import { AgentKey, AgentPublicKey, parseTimestamp } from "@countersign/agent-key";
import { plainTaskRegistrationText, signPlainTaskRegistration } from "@countersign/agent-task";
import {
  parseTaskRegistrationRequest,
  verifyTaskRegistration,
} from "@countersign/agent-task/server";
import type { PlainTaskRegistrationFile } from "../schema/plain-task-registration-file.js";
import { nameOf, outcome, type VectorCheck } from "../vector-check.js";

type Build = PlainTaskRegistrationFile["build"][number];
type Check = PlainTaskRegistrationFile["check"][number];

/** The checks of a file of form `countersign.plain-task-registration/1`. */
export function checkPlainTaskRegistration(
  file: PlainTaskRegistrationFile,
): readonly VectorCheck[] {
  return [
    ...file.build.map((vector, index) => ({
      name: nameOf("build", index, vector),
      expected: outcome({ signed_text: vector.signed_text, body: JSON.stringify(vector.body) }),
      run: () => build(vector),
    })),
    ...file.check.map((vector, index) => ({
      name: nameOf("check", index, vector),
      expected: vector.expected,
      run: () => judge(vector),
    })),
  ];
}

function build(vector: Build): string {
  const { authority, agent_runtime_id: agentRuntimeId, timestamp } = vector;
  const registration = {
    authority,
    agentRuntimeId,
    timestamp,
    idempotencyKey: vector.idempotency_key,
  };
  const key = AgentKey.importPkcs8(vector.private_key_pkcs8_base64);
  return outcome({
    signed_text: plainTaskRegistrationText(registration),
    body: JSON.stringify(signPlainTaskRegistration(registration, key)),
  });
}

function judge(vector: Check): string {
  const { authority, idempotency_key: idempotencyKey } = vector;
  const request = parseTaskRegistrationRequest(vector.body);
  verifyTaskRegistration(
    request,
    vector.agent_runtime_id,
    vector.public_keys.map((line) => AgentPublicKey.parse(line)),
    { now: parseTimestamp(vector.now), plain: { authority, idempotencyKey } },
  );
  return request.plain_task_id === true ? "plain" : "sealed";
}
