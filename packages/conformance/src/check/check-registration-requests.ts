import { parseAgentRegistrationRequest } from "@countersign/agent-identity/server";
import { AgentPublicKey, parseTimestamp } from "@countersign/agent-key";
import {
  parseTaskRegistrationRequest,
  verifyTaskRegistration,
} from "@countersign/agent-task/server";
import type { RegistrationRequestsFile } from "../schema/registration-requests-file.js";
import { nameOf, outcome, type VectorCheck } from "../vector-check.js";

type Agent = RegistrationRequestsFile["agents"][number];

const ACCEPTED = outcome({ accepted: true });

/** The checks of a file of form `countersign.registration-requests/1`. */
export function checkRegistrationRequests(file: RegistrationRequestsFile): readonly VectorCheck[] {
  return [
    ...file.agents.map((vector, index) => ({
      name: nameOf("agents", index, vector, vector.body_text ?? vector.body),
      expected: vector.code ?? ACCEPTED,
      run: () => {
        parseAgentRegistrationRequest(bodyOf(vector));
        return ACCEPTED;
      },
    })),
    ...file.tasks.map((vector, index) => ({
      name: nameOf("tasks", index, vector, vector.body),
      expected: vector.expected,
      run: () => {
        verifyTaskRegistration(
          parseTaskRegistrationRequest(vector.body),
          vector.agent_runtime_id,
          vector.public_keys.map((line) => AgentPublicKey.parse(line)),
          {
            now: vector.now_ms ?? parseTimestamp(vector.now),
            maxSkewSeconds: file.max_skew_seconds,
          },
        );
        return "accepted";
      },
    })),
  ];
}

// A text that is not JSON is no registration either.
function bodyOf({ body, body_text: text }: Agent): unknown {
  if (text === undefined) return body;
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
