import {
  type AgentRecord,
  type AssertionVerifier,
  checkAssertion,
  createVerifier,
  type MemoryTaskRecord,
  memoryDirectory,
  parseAssertion,
  signAssertion,
} from "@countersign/agent-assertion";
import { AgentKey, AgentPublicKey, parseTimestamp } from "@countersign/agent-key";
import type { AssertionsFile } from "../schema/assertions-file.js";
import { nameOf, outcome, runCheck, type VectorCheck } from "../vector-check.js";

const AUTHORITY = "https://authority.example";
const ACCEPTED = outcome({ accepted: true });

type Judged = AssertionsFile["accept"][number];

interface Setting {
  readonly now: number;
  readonly maxSkewSeconds: number;
  readonly agents: readonly AgentRecord[];
  readonly tasks: readonly MemoryTaskRecord[];
  readonly verifier: AssertionVerifier;
}

/**
 * The checks of a file of form `countersign.assertions/1`.
 *
 * @throws {CountersignError} if the file's clock, agents or tasks are not valid
 */
export function checkAssertions(file: AssertionsFile): readonly VectorCheck[] {
  createSetting(file);
  return [
    ...file.build.map((vector, index) => ({
      name: nameOf("build", index, vector, `${vector.agent_runtime_id}, ${vector.task_id}`),
      expected: vector.authorization,
      run: () =>
        signAssertion({
          agentRuntimeId: vector.agent_runtime_id,
          taskId: vector.task_id,
          key: AgentKey.importPkcs8(vector.private_key_pkcs8_base64),
          timestamp: vector.timestamp,
        }),
    })),
    ...file.accept.map((vector, index) => ({
      name: nameOf("accept", index, vector),
      expected: ACCEPTED,
      run: () => judge(vector, file),
    })),
    ...file.reject.map((vector, index) => ({
      name: nameOf("reject", index, vector),
      expected: vector.code,
      run: () => judge(vector, file),
    })),
  ];
}

function createSetting(file: AssertionsFile, now = parseTimestamp(file.now)): Setting {
  const maxSkewSeconds = file.max_skew_seconds;
  const agents = file.agents.map(
    (agent): AgentRecord => ({
      agentRuntimeId: agent.agent_runtime_id,
      accountId: "acct-1",
      userId: "user-1",
      capabilities: [],
      publicKeys: [AgentPublicKey.parse(agent.ssh_public_key)],
      state: agent.revoked === true ? "revoked" : "active",
    }),
  );
  const tasks = file.tasks.map(
    (task): MemoryTaskRecord => ({
      agentRuntimeId: task.agent_runtime_id,
      taskId: task.task_id,
      state: task.revoked === true ? "revoked" : "active",
    }),
  );
  const directory = memoryDirectory({ authority: AUTHORITY, agents, tasks });
  const verifier = createVerifier({ directory, maxSkewSeconds, now: () => now });
  return { now, maxSkewSeconds, agents, tasks, verifier };
}

// Both ways to check must agree: with facts at hand, and with facts that are fetched when a check asks for them.
async function judge({ authorization, now_ms }: Judged, file: AssertionsFile): Promise<string> {
  const header = authorization ?? undefined;
  const setting = createSetting(file, now_ms);
  const pure = await judgment(() => checkWithFacts(header, setting));
  const fetched = await judgment(() => setting.verifier.verify(header));
  return pure === fetched ? pure : `${pure} by checkAssertion, ${fetched} by createVerifier`;
}

function judgment(check: () => unknown): Promise<string> {
  return runCheck({
    name: "",
    expected: "",
    run: async () => {
      await check();
      return ACCEPTED;
    },
  });
}

function checkWithFacts(header: string | readonly string[] | undefined, setting: Setting): void {
  const parsed = parseAssertion(header);
  const agent = setting.agents.find((a) => a.agentRuntimeId === parsed.agentRuntimeId);
  const task = setting.tasks.find(
    (t) => t.agentRuntimeId === parsed.agentRuntimeId && t.taskId === parsed.taskId,
  );
  const { now, maxSkewSeconds } = setting;
  checkAssertion(parsed, { authority: AUTHORITY, agent, task }, { now, maxSkewSeconds });
}
