import { AgentIdentityManager, fixedAuth, memoryStore } from "@countersign/agent-identity";
import { parseAgentRegistrationResponse } from "@countersign/agent-identity/authority-client";
import type { AgentRegistrationFile } from "../schema/agent-registration-file.js";
import { nameOf, outcome, type VectorCheck } from "../vector-check.js";
import { answering } from "./answering.js";

const AUTHORITY = "https://authority.example";

type Answer = AgentRegistrationFile["invalid"][number];

/** The checks of a file of form `countersign.agent-registration/1`. */
export function checkAgentRegistration(file: AgentRegistrationFile): readonly VectorCheck[] {
  return [
    ...file.valid.map((vector, index) => ({
      name: nameOf("valid", index, vector, vector.body),
      expected: outcome({ agent_runtime_id: vector.agent_runtime_id }),
      run: () => read(vector),
    })),
    ...file.invalid.map((vector, index) => ({
      name: nameOf("invalid", index, vector, vector.body),
      expected: "bad_response",
      run: () => read(vector),
    })),
  ];
}

async function read({ body, requested }: Answer): Promise<string> {
  const { agentRuntimeId } = requested
    ? await register(body, requested)
    : parseAgentRegistrationResponse(body);
  return outcome({ agent_runtime_id: agentRuntimeId });
}

async function register(
  body: unknown,
  { account_id: accountId, user_id: userId }: NonNullable<Answer["requested"]>,
) {
  const identities = new AgentIdentityManager({
    authority: AUTHORITY,
    auth: fixedAuth({ kind: "human", accountId, userId, accessToken: "token" }),
    store: memoryStore(),
    fetch: answering(body),
  });
  const { agentRuntimeId = "" } = (await identities.ensure()) ?? {};
  return { agentRuntimeId };
}
