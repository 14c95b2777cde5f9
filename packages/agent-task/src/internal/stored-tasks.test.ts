import type { AgentIdentity } from "@countersign/agent-identity";
import { AgentKey } from "@countersign/agent-key";
import { expect, test } from "vitest";
import type { StoredTask, StoredThread } from "../schema/stored-thread.js";
import { findTask, withoutTask, withTask } from "./stored-tasks.js";

const scope = "thread-1";
const identity: AgentIdentity = {
  authority: "https://authority.example",
  accountId: "acct-1",
  userId: "user-1",
  agentRuntimeId: "agent_1",
  key: AgentKey.generate(),
  registeredAt: "2026-04-15T12:00:00Z",
};
const mine: StoredTask = {
  authority: identity.authority,
  agent_runtime_id: "agent_1",
  task_id: "task_1",
  registered_at: "2026-04-15T12:00:00Z",
};
// Two authorities may issue equal ids, of agents and of tasks.
const others: StoredTask[] = [
  { ...mine, authority: "https://other.example" },
  { ...mine, agent_runtime_id: "agent_2" },
];
const thread = (...tasks: StoredTask[]): StoredThread => ({ version: 1, scope, tasks });

const task = findTask(thread(mine), identity, scope) ?? expect.fail("no task");

test("finds no task of another agent or authority", () => {
  expect(findTask(thread(...others), identity, scope)).toBeUndefined();
  expect(findTask(thread(mine, ...others), identity, scope)).toEqual(task);
});

test("puts a task in the place of this agent's, and of no other's", () => {
  const before = thread({ ...mine, task_id: "task_0" }, ...others);
  expect(withTask(before, scope, task).tasks).toEqual([...others, mine]);
});

test("removes this one task, and no other that is like it in one part", () => {
  const next = { ...mine, task_id: "task_2" };
  expect(withoutTask(thread(mine, next, ...others), task)).toEqual(thread(next, ...others));
  expect(withoutTask(thread(next, ...others), task)).toBeUndefined();
});
