import { setImmediate } from "node:timers/promises";
import { expect, it } from "vitest";
import type { StoredThread } from "../src/schema/stored-thread.js";
import type { TaskStore } from "../src/store/task-store.js";
import { startWorld } from "./world.js";

/** A store with no more than it must have, whose saves take turns of the event loop. */
function slowStore() {
  const threads = new Map<string, StoredThread>();
  const store: TaskStore = {
    load: async (scope) => structuredClone(threads.get(scope)),
    async save(scope, thread) {
      await setImmediate();
      await setImmediate();
      threads.set(scope, thread);
    },
  };
  const ids = () => threads.get("thread-1")?.tasks.map(({ task_id }) => task_id);
  return { store, ids };
}

it("has saved a thread when a task is given, refused or forgotten", async () => {
  const world = await startWorld();
  const { store, ids } = slowStore();
  const tasks = world.tasks({ store });
  const first = (await tasks.ensure("thread-1")) ?? expect.fail("no task");
  expect(ids()).toEqual(["task_1"]);
  expect(await tasks.invalidate(first, "unknown_task")).toBe(true);
  expect(ids()).toEqual([]);
  await tasks.ensure("thread-1");
  expect(ids()).toEqual(["task_2"]);
  expect(await tasks.forget("thread-1")).toBe(true);
  expect(ids()).toEqual([]);
});
