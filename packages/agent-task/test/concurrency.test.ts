import { readdir } from "node:fs/promises";
import { fileStore } from "@countersign/agent-identity";
import { temporaryDirectory } from "@countersign/testing";
import { byEffort } from "@countersign/testing/effort";
import { describe, expect, it, onTestFinished } from "vitest";
import { fileTaskStore } from "../src/store/file-task-store.js";
import { memoryTaskStore } from "../src/store/memory-task-store.js";
import type { TaskStore } from "../src/store/task-store.js";
import { startProgram } from "./processes/run-source.js";
import { recordEvents } from "./record-events.js";
import { gate, startWorld } from "./world.js";

// Of each of the three orders at least two.
const PROCESSES = byEffort(20, 6);

async function startHome(): Promise<string> {
  const home = await temporaryDirectory();
  onTestFinished(() => home[Symbol.asyncDispose]());
  return home.path;
}

describe("many at once", () => {
  it("in one thread share one registration", async () => {
    const world = await startWorld();
    const tasks = world.tasks();
    const all = await Promise.all(Array.from({ length: 50 }, () => tasks.ensure("thread-1")));
    expect(new Set(all).size).toBe(1);
    expect(world.authority.counts).toMatchObject({ registerAgent: 1, registerTask: 1 });
  });

  it("in many threads register one agent and a task each", async () => {
    const world = await startWorld();
    const tasks = world.tasks();
    const scopes = Array.from({ length: 50 }, (_, index) => `thread-${index}`);
    const all = await Promise.all(scopes.map((scope) => tasks.ensure(scope)));
    expect(new Set(all.map((task) => task?.taskId)).size).toBe(50);
    expect(world.authority.counts).toMatchObject({ registerAgent: 1, registerTask: 50 });
  });

  it("1,000 calls over 50 threads register one agent and one task for each thread", async () => {
    for (const proof of ["bearer", "biscuit"] as const) {
      const home = await startHome();
      const world = await startWorld({ proof, credentials: fileStore(home) });
      const tasks = world.tasks({ store: fileTaskStore(`${home}/threads`) });
      const events = recordEvents(tasks);
      const all = await Promise.all(
        Array.from({ length: 1000 }, (_, index) => tasks.ensure(`thread-${index % 50}`)),
      );
      expect(new Set(all.map((task) => task?.taskId)).size).toBe(50);
      for (const [index, task] of all.entries()) expect(task).toBe(all[index % 50]);
      expect(world.authority.counts).toMatchObject({ registerAgent: 1, registerTask: 50 });
      expect(world.authority.agents).toHaveLength(1);
      expect(world.authority.tasks).toHaveLength(50);
      expect(events.filter(([name]) => name === "registered")).toHaveLength(50);
      expect(await tasks.list()).toHaveLength(50);
    }
  });

  it("do not wait for the thread that hangs", async () => {
    const world = await startWorld();
    const tasks = world.tasks();
    await world.identities.ensure();
    const { opened, open } = gate();
    world.authority.fault("register_task", { kind: "hold", until: opened });
    const slow = tasks.ensure("thread-1");
    await expect.poll(() => world.authority.counts.registerTask).toBe(1);
    expect(await tasks.ensure("thread-2")).toBeDefined();
    open();
    expect(await slow).toBeDefined();
  });
});

describe("two managers of one home", () => {
  it("register one task for a thread, also without a word between them", async () => {
    const home = await startHome();
    const world = await startWorld({ credentials: fileStore(home) });
    const beside = await startWorld({
      credentials: fileStore(home),
      authority: world.authority,
    });
    const managers = [world, beside].map((one) =>
      one.tasks({ store: fileTaskStore(`${home}/threads`) }),
    );
    const all = await Promise.all(managers.map((tasks) => tasks.ensure("thread-1")));
    expect(new Set(all.map((task) => task?.taskId)).size).toBe(1);
    expect(world.authority.counts).toMatchObject({ registerAgent: 1, registerTask: 1 });
    // What was locked is free, and nothing is left behind but the thread.
    expect(await readdir(`${home}/threads`)).toHaveLength(1);
  });
});

describe("a stored thread whose lock is held", () => {
  it("is waited for, and what the holder changed counts", async () => {
    const world = await startWorld();
    const store = memoryTaskStore();
    const first = await world.tasks({ store }).ensure("thread-1");
    const [held, asked] = [gate(), gate()];
    const holder = store.withLock("thread-1", async () => {
      held.open();
      await asked.opened;
      await store.remove("thread-1");
    });
    await held.opened;
    const watched: TaskStore = {
      ...store,
      async isLocked(scope) {
        asked.open();
        return await store.isLocked(scope);
      },
    };
    const resumed = await world.tasks({ store: watched }).ensure("thread-1");
    await holder;
    // The holder removed it, so it was asked for again and is the same.
    expect(resumed?.taskId).toBe(first?.taskId);
    expect(world.authority.counts).toMatchObject({ registerTask: 2 });
  });

  it("is read under the lock of a store that does not tell of it", async () => {
    const world = await startWorld();
    const { load, save, withLock } = memoryTaskStore();
    let locked = 0;
    const store: TaskStore = {
      load,
      save,
      withLock: (scope, run, options) => {
        locked += 1;
        return withLock(scope, run, options);
      },
    };
    await world.tasks({ store }).ensure("thread-1");
    await world.tasks({ store }).ensure("thread-1");
    expect(locked).toBe(2);
    expect(world.authority.counts).toMatchObject({ registerTask: 1 });
  });
});

describe("many processes started together on an empty home", () => {
  it("register one agent and one task for each thread, and a resumed thread sends nothing", async () => {
    const home = await startHome();
    const { authority, human } = await startWorld();
    const threads = ["a", "b", "c"];
    const start = (index: number) => {
      // Each begins with another thread.
      const order = [...threads.slice(index % 3), ...threads.slice(0, index % 3)];
      return startProgram("ensure-tasks.ts", [authority.url, human.accessToken, home, ...order]);
    };
    const processes = await Promise.all(
      Array.from({ length: PROCESSES }, (_, index) => start(index)),
    );
    await Promise.all(processes.map((one) => one.waitForLine(/^ready$/)));
    // Every process has its agent and asks for tasks before one of them is stored: what is not locked is registered twice.
    const until = Promise.all(processes.map((one) => one.waitForLine(/^agent$/)));
    authority.fault("register_task", { kind: "hold", until }, Number.POSITIVE_INFINITY);
    for (const one of processes) one.write("go\n");
    const found = new Set<string>();
    for (const { code, stdout, stderr } of await Promise.all(processes.map((one) => one.exited))) {
      expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
      for (const line of stdout.trim().split("\n").slice(2)) found.add(line);
    }
    expect(found.size).toBe(threads.length);
    expect(authority.counts).toMatchObject({ registerAgent: 1, registerTask: threads.length });
    expect(authority.agents).toHaveLength(1);
    expect(authority.tasks).toHaveLength(threads.length);
    const later = await start(0);
    later.write("go\n");
    for (const line of (await later.exited).stdout.trim().split("\n").slice(2)) {
      expect(found).toContain(line);
    }
    expect(authority.requests).toHaveLength(1 + threads.length);
    expect(await fileTaskStore(`${home}/threads`).list()).toHaveLength(threads.length);
  });
});
