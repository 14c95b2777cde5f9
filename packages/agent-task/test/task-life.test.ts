import { expectRejection } from "@countersign/testing/vitest";
import { describe, expect, it } from "vitest";
import { type AgentTask, RUN } from "../src/agent-task.js";
import type { TaskStore } from "../src/store/task-store.js";
import { TaskRegistrationError } from "../src/task-registration-error.js";
import { gate, startWorld } from "./world.js";

async function startClockedWorld() {
  const clock = { ms: Date.now() };
  const now = () => clock.ms;
  const world = await startWorld({ now, authorityNow: now });
  return { world, clock };
}

function mustBe(task: AgentTask | undefined): AgentTask {
  if (task === undefined) throw new Error("no task");
  return task;
}

describe("a task with an end", () => {
  it("is renewed before it, and the old one is discarded", async () => {
    const { world, clock } = await startClockedWorld();
    world.authority.taskLifetimeSeconds = 3600;
    const tasks = world.tasks();
    const discarded: unknown[] = [];
    tasks.on("discarded", ({ taskId, reason }) => discarded.push([taskId, reason]));
    const first = mustBe(await tasks.ensure("thread-1"));
    expect(first.expiresAt).toBe(Math.floor((clock.ms + 3_600_000) / 1000) * 1000);
    clock.ms += 3_538_000;
    expect((await tasks.ensure("thread-1"))?.taskId).toBe(first.taskId);
    clock.ms += 2000;
    const second = mustBe(await tasks.ensure("thread-1"));
    expect(second.taskId).not.toBe(first.taskId);
    expect(discarded).toEqual([[first.taskId, "renewed"]]);
  });

  it("is used until its end when it cannot be renewed", async () => {
    const { world, clock } = await startClockedWorld();
    world.authority.taskLifetimeSeconds = 3600;
    const tasks = world.tasks();
    const first = mustBe(await tasks.ensure("thread-1"));
    clock.ms += 3_590_000;
    world.authority.fault("register_task", { kind: "status", status: 503 }, 3);
    expect((await tasks.ensure("thread-1"))?.taskId).toBe(first.taskId);
    clock.ms += 20_000;
    expect((await tasks.ensure("thread-1"))?.taskId).not.toBe(first.taskId);
  });

  it("is given up when the authority refuses to renew it", async () => {
    const { world, clock } = await startClockedWorld();
    world.authority.taskLifetimeSeconds = 3600;
    const tasks = world.tasks();
    await tasks.ensure("thread-1");
    clock.ms += 3_590_000;
    world.authority.fault("register_task", { kind: "status", status: 403 });
    await expectRejection(tasks.ensure("thread-1"), TaskRegistrationError, "forbidden");
  });

  it("is renewed under one key, so that a lost answer costs no task", async () => {
    const { world, clock } = await startClockedWorld();
    world.authority.taskLifetimeSeconds = 3600;
    const tasks = world.tasks();
    await tasks.ensure("thread-1");
    clock.ms += 3_590_000;
    world.authority.fault("register_task", { kind: "lose" }, 3);
    expect((await tasks.ensure("thread-1"))?.taskId).toBe("task_1");
    expect((await tasks.ensure("thread-1"))?.taskId).toBe("task_2");
    expect(world.authority.tasks).toHaveLength(2);
  });

  it("is not used after it, also out of the store", async () => {
    const { world, clock } = await startClockedWorld();
    world.authority.taskLifetimeSeconds = 3600;
    const { store } = world;
    const first = mustBe(await world.tasks({ store }).ensure("thread-1"));
    clock.ms += 3_600_000;
    const tasks = world.tasks({ store });
    expect(await tasks.peek("thread-1")).toBeUndefined();
    expect((await tasks.ensure("thread-1"))?.taskId).not.toBe(first.taskId);
  });

  it("that is short is used for three quarters of it", async () => {
    const { world, clock } = await startClockedWorld();
    world.authority.taskLifetimeSeconds = 40;
    const tasks = world.tasks();
    const first = mustBe(await tasks.ensure("thread-1"));
    clock.ms += 28_000;
    expect((await tasks.ensure("thread-1"))?.taskId).toBe(first.taskId);
    clock.ms += 4000;
    expect((await tasks.ensure("thread-1"))?.taskId).not.toBe(first.taskId);
  });
});

describe("peek", () => {
  it("never touches the network, and returns the task that is there", async () => {
    const world = await startWorld();
    const tasks = world.tasks({ store: world.store });
    expect(await tasks.peek("thread-1")).toBeUndefined();
    expect(world.sent()).toBe(0);
    const task = mustBe(await tasks.ensure("thread-1"));
    world.sent();
    expect(await tasks.peek("thread-1")).toBe(task);
    const other = world.tasks({ store: world.store });
    expect((await other.peek("thread-1"))?.taskId).toBe(task.taskId);
    world.flag.on = false;
    expect(await tasks.peek("thread-1")).toBeUndefined();
    expect(world.sent()).toBe(0);
  });
});

describe("invalidate", () => {
  it("drops a task only while it is the current one", async () => {
    const world = await startWorld();
    const tasks = world.tasks();
    for (const scope of ["thread-1", RUN] as const) {
      const first = mustBe(await tasks.ensure(scope));
      expect(await tasks.invalidate(first, "task_revoked")).toBe(true);
      expect(await tasks.invalidate(first, "task_revoked")).toBe(false);
      const second = mustBe(await tasks.ensure(scope));
      expect(second.taskId).not.toBe(first.taskId);
      expect(await tasks.invalidate(first, "task_revoked")).toBe(false);
      expect((await tasks.ensure(scope))?.taskId).toBe(second.taskId);
    }
  });

  it("is false for a task of another id, agent or authority, and keeps the current one", async () => {
    const world = await startWorld();
    const tasks = world.tasks();
    for (const scope of ["thread-1", RUN] as const) {
      const task = mustBe(await tasks.ensure(scope));
      world.sent();
      for (const change of [
        { taskId: "task_9" },
        { agentRuntimeId: "agent_9" },
        { authority: "https://other.example" },
      ]) {
        expect(await tasks.invalidate({ ...task, ...change }, "task_revoked")).toBe(false);
        expect(await tasks.ensure(scope)).toBe(task);
      }
      expect(world.sent()).toBe(0);
    }
  });

  it("is false for a task that another process has replaced, and discards nothing", async () => {
    const world = await startWorld();
    const { store } = world;
    const [mine, other] = [world.tasks({ store }), world.tasks({ store })];
    const first = mustBe(await mine.ensure("thread-1"));
    expect(await other.invalidate(first, "task_revoked")).toBe(true);
    const second = await other.ensure("thread-1");
    const discarded: unknown[] = [];
    mine.on("discarded", (event) => discarded.push(event));
    expect(await mine.invalidate(first, "task_revoked")).toBe(false);
    expect(discarded).toEqual([]);
    expect((await mine.ensure("thread-1"))?.taskId).toBe(second?.taskId);
  });

  it("leaves other agents' tasks and unknown members of the thread alone", async () => {
    const world = await startWorld();
    const { store } = world;
    const foreign = {
      authority: "https://other.example",
      agent_runtime_id: "agent_1",
      task_id: "task_1",
      registered_at: "2026-03-23T12:00:00Z",
      note: "mine",
    };
    const thread = { version: 1, scope: "thread-1", tasks: [foreign], color: "blue" } as const;
    await store.save("thread-1", thread);
    const tasks = world.tasks({ store });
    const task = mustBe(await tasks.ensure("thread-1"));
    expect(await store.load("thread-1")).toMatchObject({
      color: "blue",
      tasks: [foreign, { task_id: task.taskId }],
    });
    await tasks.invalidate(task, "unknown_task");
    expect(await store.load("thread-1")).toEqual(thread);
  });

  it("of a task that is being stored by a registration waits for it", async () => {
    const world = await startWorld();
    const tasks = world.tasks();
    const first = mustBe(await tasks.ensure("thread-1"));
    await tasks.invalidate(first, undefined);
    const { opened, open } = gate();
    world.authority.fault("register_task", { kind: "hold", until: opened });
    const turn = tasks.ensure("thread-1");
    await expect.poll(() => world.authority.counts.registerTask).toBe(2);
    const again = tasks.invalidate(first, undefined);
    open();
    expect(await again).toBe(false);
    expect((await tasks.ensure("thread-1"))?.taskId).toBe((await turn)?.taskId);
  });
});

describe("forget", () => {
  it("says whether there was anything, and brings the same task back while it lives", async () => {
    const world = await startWorld();
    const tasks = world.tasks();
    const thread = tasks.thread("thread-1");
    expect(await thread.forget()).toBe(false);
    const first = mustBe(await thread.ensure());
    expect(await thread.forget()).toBe(true);
    expect(await tasks.list()).toEqual([]);
    expect(await tasks.peek("thread-1")).toBeUndefined();
    expect((await thread.ensure())?.taskId).toBe(first.taskId);
    world.authority.revokeTask(first.taskId);
    await thread.forget();
    expect((await thread.ensure())?.taskId).not.toBe(first.taskId);
  });
});

it("every thread of the store is listed, also one of which this process has not heard", async () => {
  const world = await startWorld();
  const { store } = world;
  await world.tasks({ store }).ensure("thread-1");
  expect(await world.tasks({ store }).list()).toMatchObject([{ scope: "thread-1" }]);
});

describe("a store of two methods", () => {
  it("is enough: tasks are kept, forgotten and listed", async () => {
    const world = await startWorld();
    const log: string[] = [];
    const lines = new Map<string, string>();
    const store: TaskStore = {
      async load(scope) {
        const line = lines.get(scope);
        return line === undefined ? undefined : JSON.parse(line);
      },
      async save(scope, thread) {
        log.push(scope);
        lines.set(scope, JSON.stringify(thread));
      },
    };
    const first = mustBe(await world.tasks({ store }).ensure("thread-1"));
    const tasks = world.tasks({ store });
    expect((await tasks.ensure("thread-1"))?.taskId).toBe(first.taskId);
    expect(log).toEqual(["thread-1"]);
    expect(await tasks.list()).toMatchObject([{ scope: "thread-1", tasks: [{}] }]);
    expect(await tasks.forget("thread-1")).toBe(true);
    expect(await tasks.forget("thread-1")).toBe(false);
    expect(JSON.parse(lines.get("thread-1") ?? "")).toEqual({
      version: 1,
      scope: "thread-1",
      tasks: [],
    });
  });
});
