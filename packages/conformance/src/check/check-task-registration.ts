import { AgentIdentityManager, fixedAuth, memoryStore } from "@countersign/agent-identity";
import { AgentKey, parseTimestamp } from "@countersign/agent-key";
import {
  AgentTaskManager,
  signTaskRegistration,
  taskRegistrationText,
} from "@countersign/agent-task";
import { parseTaskRegistrationResponse } from "@countersign/agent-task/sealed-box";
import {
  parseTaskRegistrationRequest,
  verifyTaskRegistration,
} from "@countersign/agent-task/server";
import type { TaskRegistrationFile } from "../schema/task-registration-file.js";
import { nameOf, outcome, type VectorCheck } from "../vector-check.js";

const AUTHORITY = "https://authority.example";

type Request = TaskRegistrationFile["requests"][number];
type Answer = TaskRegistrationFile["invalid_responses"][number];

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
      run: () => read(vector),
    })),
    ...file.invalid_responses.map((vector, index) => ({
      name: nameOf("invalid_responses", index, vector),
      expected: "bad_response",
      run: () => read(vector),
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

async function read({ body, clocks, private_key_pkcs8_base64 }: Answer): Promise<string> {
  const key = AgentKey.importPkcs8(private_key_pkcs8_base64);
  const taskId =
    clocks === undefined
      ? parseTaskRegistrationResponse(body, key).taskId
      : await register(body, clocks, key);
  return outcome({ task_id: taskId });
}

async function register(
  body: unknown,
  clocks: NonNullable<Answer["clocks"]>,
  key: AgentKey,
): Promise<string> {
  const clock = parseTimestamp(clocks.client);
  const now = () => clock;
  const date = new Date(parseTimestamp(clocks.authority)).toUTCString();
  const identity = {
    authority: AUTHORITY,
    agentRuntimeId: "agent-1",
    accountId: "acct-1",
    userId: "user-1",
    key,
    registeredAt: clocks.client,
  };
  const identities = new AgentIdentityManager({
    authority: AUTHORITY,
    auth: fixedAuth({ kind: "agent", identity }),
    store: memoryStore(),
    fetch: async () => Response.json(body, { headers: { date } }),
    now,
  });
  const task = await new AgentTaskManager({ identities, now }).ensure("thread-1");
  return task?.taskId ?? "";
}
