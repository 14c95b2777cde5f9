import { startTestUpstream } from "@countersign/testing";
import { describe, expect, test } from "vitest";
import { type AgentDirectory, createDirectoryRecord, memoryDirectory } from "../src/index.js";
import { remoteDirectory } from "../src/remote-directory.js";
import { agentDirectoryContract } from "../src/store-contract.js";
import { unavailable, unknownAgent } from "./directory-scene.js";
import { AGENT_ID, AUTHORITY, agent, NOW, otherKey, task } from "./fixtures.js";

const other = {
  ...agent,
  agentRuntimeId: "agent-2",
  userId: "user-2",
  capabilities: [],
  publicKeys: [otherKey.publicKey],
  state: "revoked",
  expiresAt: NOW,
} as const;
const known = {
  authority: AUTHORITY,
  agents: [agent, other],
  tasks: [
    { ...task, agentRuntimeId: AGENT_ID },
    { taskId: "task-2", agentRuntimeId: AGENT_ID, state: "revoked", expiresAt: NOW },
    { taskId: "task-3", agentRuntimeId: "agent-2", state: "expired" },
  ],
} as const;

describe("a memory directory", () => {
  const authority = "https://AUTHORITY.example:443/";
  const start = () => ({ known, open: () => memoryDirectory({ ...known, authority }) });
  for (const { name, run } of agentDirectoryContract({ start })) test(name, run);
});

describe("a remote directory", () => {
  const startRemote = async (answer: (agentId?: string, taskId?: string) => object) => {
    const upstream = await startTestUpstream(({ url }) => {
      const [, agentId, taskId] = /^\/v1\/agent\/([^/]+)(?:\/task\/([^/]+))?$/.exec(url) ?? [];
      return answer(agentId, taskId);
    });
    const opened: AgentDirectory[] = [];
    return {
      known: { ...known, authority: upstream.url },
      open() {
        const directory = remoteDirectory(upstream.url);
        opened.push(directory);
        return directory;
      },
      async close() {
        for (const directory of opened) await directory.close?.();
        await upstream.close();
      },
    };
  };
  const start = () =>
    startRemote((agentId, taskId) => {
      const found = known.agents.find(({ agentRuntimeId }) => agentRuntimeId === agentId);
      if (found === undefined) return unknownAgent;
      const itsTask = known.tasks.find(
        (one) => one.taskId === taskId && one.agentRuntimeId === agentId,
      );
      return { body: createDirectoryRecord(found, itsTask) };
    });
  const startUnreachable = () => startRemote(() => unavailable);
  const contract = agentDirectoryContract({ start, startUnreachable });
  for (const { name, run } of contract) test(name, run);
});

type Change = (directory: AgentDirectory) => Partial<AgentDirectory>;

/** Each breaks the rule that it is named by, and no other. */
const BROKEN: Readonly<Record<string, Change>> = {
  "rejects when it cannot tell, and does not say unknown": () => ({}),
  "gives undefined for an agent that it does not know": (directory) => ({
    agent: (id) => directory.agent(id === "agent_unknown" ? id : id.trim()),
  }),
  "gives undefined for a task that it does not know": (directory) => ({
    task: (agentId, id) => directory.task(agentId, id.trim()),
  }),
  "gives undefined for a task of another agent": (directory) => ({
    task: async (_, id) => {
      const owner = known.tasks.find(({ taskId }) => taskId === id)?.agentRuntimeId ?? "";
      return await directory.task(owner, id);
    },
  }),
  "speaks for its authority, normalised": ({ authority }) => ({ authority: `${authority}/` }),
  "gives each agent as it is recorded": (directory) => ({
    agent: async (id) => {
      const found = await directory.agent(id);
      return found && { ...found, state: "active" };
    },
  }),
  "gives each task as it is recorded": (directory) => ({
    task: async (agentId, id) => {
      const found = await directory.task(agentId, id);
      return found && { ...found, expiresAt: undefined };
    },
  }),
  "answers each of many lookups at one time with what it asks for": (directory) => {
    let pending: ReturnType<AgentDirectory["agent"]> | undefined;
    return {
      async agent(id) {
        pending ??= directory.agent(id);
        const found = await pending;
        pending = undefined;
        return found;
      },
    };
  },
  "gives an agent also in place of a record that it gave": (directory) => ({
    agent: async (id, { insteadOf } = {}) =>
      insteadOf === undefined ? await directory.agent(id) : undefined,
  }),
};

function contractOf(change: Change, isReachable = false) {
  const start = () => {
    const directory = memoryDirectory(known);
    return { known, open: () => ({ ...directory, ...change(directory) }) };
  };
  const startUnreachable = () => ({ known, open: () => remoteDirectory("http://127.0.0.1:1") });
  return agentDirectoryContract({
    start,
    startUnreachable: isReachable ? start : startUnreachable,
  });
}

async function failuresOf(contract: ReturnType<typeof contractOf>): Promise<string[]> {
  const failed: string[] = [];
  for (const { name, run } of contract) await run().catch(() => failed.push(name));
  return failed;
}

test("each rule has a directory that breaks it", () => {
  const names = contractOf(() => ({})).map(({ name }) => name);
  expect(names).toEqual(Object.keys(BROKEN));
});

test.each(Object.entries(BROKEN))(
  "a directory that breaks one rule fails that case alone: %s",
  async (rule, change) => {
    const contract = contractOf(change, rule.startsWith("rejects when"));
    expect(await failuresOf(contract)).toEqual([rule]);
  },
);

test("a directory that breaks no rule fails no case", async () => {
  expect(await failuresOf(contractOf(() => ({})))).toEqual([]);
});
