import type { Checks } from "./checks.ts";
import { CODEX_C } from "./codex-binary.ts";
import { configureCodex } from "./configured-codex.ts";
import type { InteropClient, Scene } from "./interop-client.ts";
import { checkSigned, type ProxyChain, startProxyChain } from "./proxy-chain.ts";
import type { UpstreamRequest } from "./stub-api.ts";

// The model's wish, as the newest Codex offers it.
const SPAWN = {
  type: "function_call",
  id: "fc_1",
  call_id: "call_1",
  namespace: "collaboration",
  name: "spawn_agent",
  arguments: JSON.stringify({ task_name: "helper", message: "say hello", fork_turns: "none" }),
};

/** The newest Codex that starts a sub-agent: `session-id` is the same for both, `thread-id` is each one's own. */
export const CODEX_PROXY_SUB_AGENT: InteropClient = {
  name: `codex ${CODEX_C.name} proxy, sub-agent`,
  async run(checks, scene) {
    const chain = await startProxyChain(scene, { threadHeader: "thread-id" });
    const requests = await startSubAgent(checks, scene, chain);
    const threads = requests.map(threadOf);
    const tasks = requests.map(({ headers }) => headers["x-agent-task-id"]);
    checks.equal(
      "two turns of the thread and one of its sub-agent",
      [requests.length, new Set(threads).size],
      [3, 2],
    );
    checks.equal(
      "each has a task of its own",
      tasks.map((task) => tasks.indexOf(task)),
      threads.map((thread) => threads.indexOf(thread)),
    );
    checks.equal(
      "the authority has one agent and two tasks",
      [(await chain.agents()).length, (await chain.tasks()).length],
      [1, 2],
    );
  },
};

/** The same through a proxy that reads what it reads by itself. */
export const CODEX_PROXY_SESSION: InteropClient = {
  name: `codex ${CODEX_C.name} proxy, session`,
  async run(checks, scene) {
    const chain = await startProxyChain(scene);
    const requests = await startSubAgent(checks, scene, chain);
    checks.equal(
      "a session's thread and sub-agent share its task",
      [new Set(requests.map(threadOf)).size, (await chain.tasks()).length],
      [2, 1],
    );
    await checkSigned(checks, chain, ["session", "session", "session"]);
  },
};

async function startSubAgent(
  checks: Checks,
  scene: Scene,
  chain: ProxyChain,
): Promise<readonly UpstreamRequest[]> {
  const codex = await configureCodex(checks, scene, chain);
  // Codex ends with the thread's turn, so the answers wait until the sub-agent has asked too.
  const until = chain.upstream.arrived(3);
  chain.upstream.answerNext({ output: SPAWN }, { until }, { until });
  await codex.answered("a turn that starts a sub-agent", ["say hello"]);
  return chain.upstream.requests;
}

// Codex repeats it in a field of its own, which reaches the upstream; the proxy keeps the one that it was told to read.
function threadOf({ headers }: UpstreamRequest): unknown {
  return JSON.parse(String(headers["x-codex-turn-metadata"])).thread_id;
}
