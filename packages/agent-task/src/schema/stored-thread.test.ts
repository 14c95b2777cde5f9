import { expectThrow } from "@countersign/testing/vitest";
import fc from "fast-check";
import { expect, test } from "vitest";
import { AgentTaskError } from "../agent-task-error.js";
import { parseStoredThread } from "./stored-thread.js";

const task = {
  authority: "https://authority.example",
  agent_runtime_id: "agent-1",
  task_id: "task-1",
  registered_at: "2026-03-23T12:00:00Z",
};
const thread = { version: 1, scope: "thread-1", tasks: [task] };

test("rejects what is no stored thread", () => {
  const bad: unknown[] = [
    undefined,
    null,
    [],
    {},
    { ...thread, version: 0 },
    { ...thread, version: "1" },
    { ...thread, scope: "" },
    { ...thread, scope: 1 },
    { ...thread, tasks: {} },
    { ...thread, tasks: [null] },
    { ...thread, tasks: [{ ...task, task_id: "../task" }] },
    { ...thread, tasks: [{ ...task, task_id: "a:b" }] },
    { ...thread, tasks: [{ ...task, agent_runtime_id: "" }] },
    { ...thread, tasks: [{ ...task, expires_at: "later" }] },
    { ...thread, tasks: [{ ...task, authority: 7 }] },
  ];
  for (const value of bad) {
    expectThrow(() => parseStoredThread(value, "the file"), AgentTaskError, "store_corrupt");
  }
});

test("never throws another error", () => {
  fc.assert(
    fc.property(fc.anything(), (value) => {
      expectThrow(() => parseStoredThread(value, "the file"), AgentTaskError, "store_corrupt");
    }),
  );
});

test("rejects a newer version, and says what to do", () => {
  const error = expectThrow(
    () => parseStoredThread({ ...thread, version: 2 }, "the file"),
    AgentTaskError,
    "store_corrupt",
  );
  expect(error.hint).toBe("update Countersign");
});

test("rejects the thread of another scope", () => {
  expectThrow(
    () => parseStoredThread(thread, "the file", "thread-2"),
    AgentTaskError,
    "store_corrupt",
  );
});

test("keeps members that it does not know", () => {
  const more = { ...thread, color: "blue", tasks: [{ ...task, note: "mine" }] };
  expect(parseStoredThread(more, "the file", "thread-1")).toEqual(more);
});
