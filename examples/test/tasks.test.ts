import { readFile, writeFile } from "node:fs/promises";
import { AgentIdentityManager, fixedAuth, memoryStore } from "@countersign/agent-identity";
import { AgentTaskManager, type TaskStore } from "@countersign/agent-task";
import { openAuthority, openDirectory } from "@countersign/testing/vitest";
import { expect, onTestFinished, test } from "vitest";
import { sessionLogStore } from "../tasks/session-log.js";
import { takeTurns } from "../tasks/thread.js";
import { contractOf } from "./contract-of.js";
import { HUMAN } from "./world.js";

async function openHuman() {
  const authority = await openAuthority();
  const accessToken = authority.addHuman(HUMAN);
  return { authority, auth: fixedAuth({ kind: "human", ...HUMAN, accessToken }) };
}

/** Makes managers of one agent's tasks, as if its process were started again with the same store. */
async function openTasks() {
  const { authority, auth } = await openHuman();
  const identities = new AgentIdentityManager({
    ...{ authority: authority.url, auth, store: memoryStore() },
  });
  onTestFinished(() => identities.close());
  const tasks = (store: TaskStore) => {
    const manager = new AgentTaskManager({ identities, store });
    onTestFinished(() => manager.close());
    return manager;
  };
  return { authority, tasks };
}

test("the program takes its turns in one task, also when it is started again", async () => {
  const { authority, auth } = await openHuman();
  const home = await openDirectory();
  const turns = ["first turn in task_1", "second turn in task_1"];
  expect(await takeTurns(authority.url, auth, home)).toEqual(turns);
  expect(authority.requests).toHaveLength(2);
  expect(await takeTurns(authority.url, auth, home)).toEqual(turns);
  expect(authority.requests).toHaveLength(2);
});

test("the session log begins in a folder that is not there yet, and a torn line costs its thread's task alone", async () => {
  const { tasks } = await openTasks();
  const file = `${await openDirectory()}/not/there/session.jsonl`;
  const store = sessionLogStore(file);
  const kept = await tasks(store).ensure("thread-1");
  const torn = await tasks(store).ensure("thread-2");
  const whole = await readFile(file, "utf8");
  await writeFile(file, whole.slice(0, -20));
  const after = tasks(store);
  expect((await after.ensure("thread-1"))?.taskId).toBe(kept?.taskId);
  const again = await after.ensure("thread-2");
  expect(again).toBeDefined();
  expect((await tasks(store).ensure("thread-2"))?.taskId).toBe(again?.taskId);
  expect(torn).toBeDefined();
});

test("the session log keeps the task of a thread", async () => {
  const { authority, tasks } = await openTasks();
  const file = `${await openDirectory()}/session.jsonl`;
  await writeFile(file, `${JSON.stringify({ type: "turn", text: "hello" })}\n`);
  const first = await tasks(sessionLogStore(file)).ensure("thread-1");
  const sent = authority.requests.length;
  const resumed = await tasks(sessionLogStore(file)).ensure("thread-1");
  expect(resumed?.taskId).toBe(first?.taskId);
  expect(authority.requests).toHaveLength(sent);
});

test("the session log keeps the contract of task stores, by the runner of Node", async () => {
  const { stdout, outcome } = await contractOf("../tasks/session-log-contract.ts");
  expect(stdout).toContain("loads undefined for a thread that was never saved");
  expect(outcome).toEqual({ code: 0, passed: expect.any(Number), failed: 0 });
});
