import assert from "node:assert/strict";
import {
  type ContractCase,
  type ContractPlace,
  type ContractRules,
  CountersignError,
  contractCases,
  parseAuthority,
} from "@countersign/agent-key";
import type { AgentDirectory, AgentRecord, TaskRecord } from "../directory/agent-directory.js";
import type { MemoryDirectoryOptions } from "../directory/memory-directory.js";
import { AssertionRejected } from "../verify/assertion-rejected.js";

/** Where a case finds directories, and what they know. */
export interface AgentDirectoryPlace extends ContractPlace<AgentDirectory> {
  /** All that the directories know: two agents or more, and a task or more. Best one of each state. */
  readonly known: MemoryDirectoryOptions;
}

/** Options of {@link agentDirectoryContract}. */
export interface AgentDirectoryContractOptions {
  /** Makes a place. Called once for each run of a case. */
  readonly start: () => AgentDirectoryPlace | Promise<AgentDirectoryPlace>;
  /** Makes a place whose directories cannot reach what they ask. Default: the case of a directory that cannot tell is left out. */
  readonly startUnreachable?:
    | (() => AgentDirectoryPlace | Promise<AgentDirectoryPlace>)
    | undefined;
}

type Rules = ContractRules<AgentDirectoryPlace>;

// The last ones are ids of no authority (protocol.md §3).
const UNKNOWN_IDS = [
  "agent_unknown",
  "__proto__",
  "constructor",
  "",
  "..",
  "../agent",
  "a/b",
  "a\0",
];

function unknownIds(known: readonly string[]): string[] {
  const near = known.flatMap((id) => [`${id}x`, id.slice(0, -1), ` ${id}`, id.toUpperCase()]);
  return [...near, ...UNKNOWN_IDS].filter((id) => !known.includes(id));
}

const UNREACHABLE_RULES: Rules = {
  "rejects when it cannot tell, and does not say unknown": async ({ open, known }) => {
    const directory = await open();
    const [agentId, taskId] = [known.agents[0]?.agentRuntimeId, known.tasks[0]?.taskId];
    assert.ok(agentId !== undefined && taskId !== undefined, "the place knows no agent or no task");
    const isTrouble = (error: unknown) =>
      CountersignError.is(error) && !AssertionRejected.is(error);
    await assert.rejects(async () => directory.agent(agentId), isTrouble);
    await assert.rejects(async () => directory.task(agentId, taskId), isTrouble);
  },
};

const RULES: Rules = {
  "gives undefined for an agent that it does not know": async ({ open, known }) => {
    const directory = await open();
    for (const id of unknownIds(known.agents.map(({ agentRuntimeId }) => agentRuntimeId))) {
      assert.equal(await directory.agent(id), undefined, `it knows an agent ${JSON.stringify(id)}`);
    }
  },

  "gives undefined for a task that it does not know": async ({ open, known }) => {
    const directory = await open();
    const ids = unknownIds(known.tasks.map(({ taskId }) => taskId));
    for (const { agentRuntimeId } of known.agents) {
      for (const id of ids) {
        const found = await directory.task(agentRuntimeId, id);
        assert.equal(found, undefined, `it knows a task ${JSON.stringify(id)}`);
      }
    }
  },

  "gives undefined for a task of another agent": async ({ open, known }) => {
    const directory = await open();
    const owners = known.tasks.map(({ agentRuntimeId, taskId }) => `${agentRuntimeId} ${taskId}`);
    for (const { taskId } of known.tasks) {
      for (const { agentRuntimeId } of known.agents) {
        if (owners.includes(`${agentRuntimeId} ${taskId}`)) continue;
        assert.equal(await directory.task(agentRuntimeId, taskId), undefined);
      }
      assert.equal(await directory.task("agent_unknown", taskId), undefined);
    }
  },

  "speaks for its authority, normalised": async ({ open, known }) => {
    const { authority } = await open();
    assert.equal(authority, parseAuthority(known.authority));
  },

  "gives each agent as it is recorded": async ({ open, known }) => {
    const directory = await open();
    assert.ok(known.agents.length >= 2, "a place knows two agents or more");
    for (const agent of known.agents) {
      const found = await directory.agent(agent.agentRuntimeId);
      assert.deepEqual(agentFacts(found), agentFacts(agent));
    }
  },

  "gives each task as it is recorded": async ({ open, known }) => {
    const directory = await open();
    assert.ok(known.tasks.length >= 1, "a place knows a task or more");
    for (const task of known.tasks) {
      const found = await directory.task(task.agentRuntimeId, task.taskId);
      assert.deepEqual(taskFacts(found), taskFacts(task));
    }
  },

  "answers each of many lookups at one time with what it asks for": async ({ open, known }) => {
    const directory = await open();
    const ids = known.agents.map(({ agentRuntimeId }) => agentRuntimeId);
    const asked = Array.from({ length: 5 }, () => [...ids, "agent_unknown"]).flat();
    const found = await Promise.all(asked.map((id) => directory.agent(id)));
    const expected = asked.map((id) => (ids.includes(id) ? id : undefined));
    assert.deepEqual(
      found.map((record) => record?.agentRuntimeId),
      expected,
    );
  },

  "gives an agent also in place of a record that it gave": async ({ open, known }) => {
    const directory = await open();
    for (const { agentRuntimeId } of known.agents) {
      const insteadOf = await directory.agent(agentRuntimeId);
      const found = await directory.agent(agentRuntimeId, { insteadOf });
      assert.equal(found?.agentRuntimeId, agentRuntimeId);
    }
  },
};

function agentFacts(agent: AgentRecord | undefined): unknown {
  return (
    agent && {
      id: agent.agentRuntimeId,
      account: agent.accountId,
      user: agent.userId,
      capabilities: agent.capabilities.toSorted(),
      keys: agent.publicKeys.map(({ line }) => line),
      state: agent.state,
      expiresAt: agent.expiresAt,
    }
  );
}

function taskFacts(task: TaskRecord | undefined): unknown {
  return task && { id: task.taskId, state: task.state, expiresAt: task.expiresAt };
}

/**
 * Returns the cases that every {@link AgentDirectory} passes, for the tests of a directory of your own, with any test runner.
 *
 * Not checked: how soon a directory sees a revocation or a rotated key. Each has a bound of its own.
 *
 * @example
 * for (const { name, run } of agentDirectoryContract({ start })) test(name, run);
 */
export function agentDirectoryContract(
  options: AgentDirectoryContractOptions,
): readonly ContractCase[] {
  const { start, startUnreachable } = options;
  const unreachable =
    startUnreachable === undefined ? [] : contractCases(UNREACHABLE_RULES, startUnreachable);
  return [...unreachable, ...contractCases(RULES, start)];
}
