import { readFile, writeFile } from "node:fs/promises";
import { fixedAuth } from "@countersign/agent-identity";
import { temporaryDirectory } from "@countersign/testing";
import { expect, onTestFinished, test } from "vitest";
import { sessionLogStore } from "./examples/session-log.js";
import { takeTurns } from "./examples/thread.js";
import { runProgram } from "./processes/run-source.js";
import { startWorld } from "./world.js";

async function startHome(): Promise<string> {
  const home = await temporaryDirectory();
  onTestFinished(() => home[Symbol.asyncDispose]());
  return home.path;
}

test.each([
  ["../README.md", "thread"],
  ["../../../docs/tasks.md", "session-log"],
  ["../../../docs/tasks.md", "session-log-contract"],
])("%s holds the example %s as it is compiled", async (path, name) => {
  const document = await readFile(new URL(path, import.meta.url), "utf8");
  const source = await readFile(new URL(`./examples/${name}.ts`, import.meta.url), "utf8");
  expect(document).toContain(source.trim());
});

test("the README's program takes its turns in one task, also when it is started again", async () => {
  const { authority, human } = await startWorld();
  const home = await startHome();
  const turns = ["first turn in task_1", "second turn in task_1"];
  expect(await takeTurns(authority.url, fixedAuth(human), home)).toEqual(turns);
  expect(authority.requests).toHaveLength(2);
  expect(await takeTurns(authority.url, fixedAuth(human), home)).toEqual(turns);
  expect(authority.requests).toHaveLength(2);
});

test("the session log of docs/tasks.md begins in a folder that is not there yet, and a torn line costs its thread's task alone", async () => {
  const world = await startWorld();
  const file = `${await startHome()}/not/there/session.jsonl`;
  const store = sessionLogStore(file);
  const kept = await world.tasks({ store }).ensure("thread-1");
  const torn = await world.tasks({ store }).ensure("thread-2");
  const whole = await readFile(file, "utf8");
  await writeFile(file, whole.slice(0, -20));
  const tasks = world.tasks({ store });
  expect((await tasks.ensure("thread-1"))?.taskId).toBe(kept?.taskId);
  const again = await tasks.ensure("thread-2");
  expect(again).toBeDefined();
  expect((await world.tasks({ store }).ensure("thread-2"))?.taskId).toBe(again?.taskId);
  expect(torn).toBeDefined();
});

test("the session log of docs/tasks.md keeps the task of a thread", async () => {
  const world = await startWorld();
  const file = `${await startHome()}/session.jsonl`;
  await writeFile(file, `${JSON.stringify({ type: "turn", text: "hello" })}\n`);
  const store = sessionLogStore(file);
  const first = await world.tasks({ store }).ensure("thread-1");
  world.sent();
  const resumed = await world.tasks({ store: sessionLogStore(file) }).ensure("thread-1");
  expect(resumed?.taskId).toBe(first?.taskId);
  expect(world.sent()).toBe(0);
});

test("the session log of docs/tasks.md keeps the contract of task stores, by the runner of Node", async () => {
  const { code, stdout } = await runProgram("../examples/session-log-contract.ts", []);
  expect(stdout).toContain("loads undefined for a thread that was never saved");
  expect(stdout).toMatch(/^\S+ pass [1-9]\d*$/m);
  expect({ code, failed: /^\S+ fail (\d+)$/m.exec(stdout)?.[1] }).toEqual({ code: 0, failed: "0" });
});
