import {
  type AssertionVerifier,
  createVerifier,
  memoryDirectory,
  signAssertion,
} from "@countersign/agent-assertion";
import { AgentKey, formatTimestamp } from "@countersign/agent-key";

export interface TestAgent {
  /** For the API under test. */
  readonly verifier: AssertionVerifier;
  /** Makes the value of `Authorization` for one request. */
  header(): string;
}

/** Makes an agent with one task, and a verifier that knows no others. No authority is asked. */
export function createTestAgent(capabilities: readonly string[] = []): TestAgent {
  const key = AgentKey.generate();
  const agentRuntimeId = "agent_test";
  const taskId = "task_test";
  const owner = { accountId: "acct-test", userId: "user-test" };
  const publicKeys = [key.publicKey];
  const directory = memoryDirectory({
    authority: "https://authority.example",
    agents: [{ agentRuntimeId, ...owner, capabilities, publicKeys, state: "active" }],
    tasks: [{ agentRuntimeId, taskId, state: "active" }],
  });
  return {
    verifier: createVerifier({ directory }),
    header: () =>
      signAssertion({ agentRuntimeId, taskId, key, timestamp: formatTimestamp(Date.now()) }),
  };
}
