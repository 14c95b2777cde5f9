import { AgentKey, parseTimestamp } from "@countersign/agent-key";
import {
  parseTaskRegistrationResponse,
  signTaskRegistration,
  taskRegistrationText,
} from "@countersign/agent-task";
import {
  parseTaskRegistrationRequest,
  verifyTaskRegistration,
} from "@countersign/agent-task/server";
import type { TaskRegistrationFile } from "../schema/task-registration-file.js";
import { nameOf, outcome, type VectorCheck } from "../vector-check.js";

type Request = TaskRegistrationFile["requests"][number];

/** The checks of a file of form `countersign.task-registration/1`. */
export function checkTaskRegistration(file: TaskRegistrationFile): readonly VectorCheck[] {
  return [
    ...file.requests.map((vector, index) => ({
      name: nameOf("requests", index, vector, vector.agent_runtime_id),
      expected: outcome({
        signed_text: vector.signed_text,
        signature: vector.signature,
        accepted_by_authority: true,
      }),
      run: () => signAndVerify(vector),
    })),
    ...file.responses.map((vector, index) => ({
      name: nameOf("responses", index, vector),
      expected: outcome({ task_id: vector.task_id }),
      run: () => read(vector.body, vector.private_key_pkcs8_base64),
    })),
    ...file.invalid_responses.map((vector, index) => ({
      name: nameOf("invalid_responses", index, vector),
      expected: "bad_response",
      run: () => read(vector.body, vector.private_key_pkcs8_base64),
    })),
  ];
}

// Both halves: what the client signs, to the byte, and that the authority takes the vector's own bytes.
function signAndVerify(vector: Request): string {
  const { agent_runtime_id: agentRuntimeId, timestamp, signature } = vector;
  const key = AgentKey.importPkcs8(vector.private_key_pkcs8_base64);
  const verified = verifyTaskRegistration(
    parseTaskRegistrationRequest({ signature, timestamp }),
    agentRuntimeId,
    [key.publicKey],
    { now: parseTimestamp(timestamp) },
  );
  return outcome({
    signed_text: taskRegistrationText(agentRuntimeId, timestamp),
    signature: signTaskRegistration(agentRuntimeId, key, timestamp).signature,
    accepted_by_authority: verified.publicKey.equals(key.publicKey),
  });
}

function read(body: unknown, privateKey: string): string {
  const key = AgentKey.importPkcs8(privateKey);
  return outcome({ task_id: parseTaskRegistrationResponse(body, key).taskId });
}
