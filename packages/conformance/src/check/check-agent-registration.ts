import { parseAgentRegistrationResponse } from "@countersign/agent-identity/authority-client";
import type { AgentRegistrationFile } from "../schema/agent-registration-file.js";
import { nameOf, outcome, type VectorCheck } from "../vector-check.js";

/** The checks of a file of form `countersign.agent-registration/1`. */
export function checkAgentRegistration(file: AgentRegistrationFile): readonly VectorCheck[] {
  return [
    ...file.valid.map((vector, index) => ({
      name: nameOf("valid", index, vector, vector.body),
      expected: outcome({ agent_runtime_id: vector.agent_runtime_id }),
      run: () => read(vector.body),
    })),
    ...file.invalid.map((vector, index) => ({
      name: nameOf("invalid", index, vector, vector.body),
      expected: "bad_response",
      run: () => read(vector.body),
    })),
  ];
}

function read(body: unknown): string {
  return outcome({ agent_runtime_id: parseAgentRegistrationResponse(body).agentRuntimeId });
}
