import { once } from "node:events";
import { expectRejection } from "@countersign/testing/vitest";
import { describe, expect, it } from "vitest";
import type { FailedEvent } from "../src/task-events.js";
import { TaskRegistrationError } from "../src/task-registration-error.js";
import { gate, refusal, startWorld } from "./world.js";

const AN_HOUR_MS = 3_600_000;

describe("a registration that fails", () => {
  it("fails this thread's turn alone, retryable, and the next turn tries again", async () => {
    const world = await startWorld();
    const tasks = world.tasks();
    await tasks.ensure("thread-2");
    world.authority.fault("register_task", { kind: "status", status: 503 }, 3);
    const thread = tasks.thread("thread-1");
    let begun = false;
    const error = await expectRejection(
      thread.run(async () => {
        begun = true;
      }),
      TaskRegistrationError,
      "server_error",
    );
    expect(begun).toBe(false);
    expect(error).toMatchObject({ retryable: true, scope: "thread-1", agentRuntimeId: "agent_1" });
    expect(await tasks.thread("thread-2").run(async ({ task }) => task?.taskId)).toBe("task_1");
    expect(await thread.run(async ({ task }) => task?.taskId)).toBe("task_2");
  });

  it("is tried three times when it passes, under one key, so that a lost answer costs no task", async () => {
    const world = await startWorld();
    const tasks = world.tasks();
    world.authority.fault("register_task", { kind: "lose" });
    world.authority.fault("register_task", { kind: "reset" });
    const task = await tasks.ensure("thread-1");
    expect(world.authority.counts.registerTask).toBe(3);
    expect(world.authority.tasks).toHaveLength(1);
    expect(task?.taskId).toBe("task_1");
  });

  it("ends at one deadline in all when the authority hangs", async () => {
    for (const step of ["register_agent", "register_task"] as const) {
      // The client alone would wait for an hour: what ends the turn is its own deadline.
      const world = await startWorld({ deadlineMs: AN_HOUR_MS });
      const hurried = world.tasks({ deadlineMs: 300 });
      world.authority.fault(step, { kind: "hang" }, Number.POSITIVE_INFINITY);
      const error = await expectRejection(
        hurried.ensure("thread-1"),
        TaskRegistrationError,
        "timeout",
      );
      expect(error.retryable).toBe(true);
      world.authority.clearFaults();
      expect(await world.tasks().ensure("thread-1")).toBeDefined();
    }
  });

  it("is unreachable, and retryable, if the authority does not listen", async () => {
    const world = await startWorld();
    await world.authority.close();
    const tasks = world.tasks();
    const error = await expectRejection(tasks.ensure("a"), TaskRegistrationError, "unreachable");
    expect(error.retryable).toBe(true);
  });

  it("is not sent twice for an answer that no second try mends", async () => {
    const cases = [
      { fault: refusal(400, "invalid_request"), code: "invalid_request" },
      { fault: refusal(401, "bad_signature"), code: "bad_signature" },
      { fault: { kind: "status", status: 401 }, code: "unauthenticated" },
      { fault: { kind: "status", status: 403 }, code: "forbidden" },
      { fault: { kind: "status", status: 404 }, code: "invalid_request" },
      { fault: { kind: "redirect", location: "http://127.0.0.1:9/" }, code: "bad_response" },
      { fault: { kind: "answer", body: {} }, code: "bad_response" },
      { fault: { kind: "answer", body: { task_id: "../x" } }, code: "bad_response" },
      { fault: { kind: "answer", body: { encrypted_task_id: "AAAA" } }, code: "bad_response" },
      {
        fault: { kind: "answer", body: { task_id: "t", expires_at: "2001-01-01T00:00:00Z" } },
        code: "bad_response",
      },
    ] as const;
    const world = await startWorld();
    const tasks = world.tasks();
    await world.identities.ensure();
    for (const [index, { fault, code }] of cases.entries()) {
      world.sent();
      world.authority.fault("register_task", fault);
      const error = await expectRejection(
        tasks.ensure(`thread-${index}`),
        TaskRegistrationError,
        code,
      );
      expect(error.retryable).toBe(false);
      expect(world.sent()).toBe(1);
    }
    expect(await tasks.list()).toEqual([]);
  });

  it("never shows a secret or a raw control character", async () => {
    const world = await startWorld({ proof: "biscuit" });
    const tasks = world.tasks();
    const body = `no: ${world.human.accessToken} \u001b[31m\u202e ${"x".repeat(5000)}`;
    world.authority.fault("biscuit", { kind: "status", status: 400, body });
    const error = await expectRejection(
      tasks.ensure("a"),
      TaskRegistrationError,
      "invalid_request",
    );
    expect(error.message).not.toContain(world.human.accessToken);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not be there
    expect(error.message).not.toMatch(/[\u0000-\u001f\u202e]/);
    expect(error.message.length).toBeLessThan(1000);
  });
});

describe("a prewarm", () => {
  it("makes the turn wait for nothing when it is done", async () => {
    const world = await startWorld();
    const tasks = world.tasks();
    const registered = once(tasks, "registered");
    tasks.prewarm("thread-1");
    tasks.prewarm("thread-1");
    await registered;
    world.sent();
    expect(await tasks.ensure("thread-1")).toBeDefined();
    tasks.prewarm("thread-1");
    expect(world.sent()).toBe(0);
    expect(world.authority.counts.registerTask).toBe(1);
  });

  it("is joined by a turn that begins before it ends", async () => {
    const world = await startWorld();
    const tasks = world.tasks();
    tasks.prewarm("thread-1");
    const all = await Promise.all([1, 2, 3].map(() => tasks.ensure("thread-1")));
    expect(new Set(all.map((task) => task?.taskId)).size).toBe(1);
    expect(world.authority.counts).toMatchObject({ registerAgent: 1, registerTask: 1 });
  });

  it("never fails a turn that later succeeds, whatever step and code it failed with", async () => {
    for (const step of ["register_agent", "register_task"] as const) {
      for (const status of [503, 400]) {
        const world = await startWorld();
        const tasks = world.tasks();
        world.authority.fault(step, { kind: "status", status }, status === 503 ? 3 : 1);
        const failed: FailedEvent[] = [];
        tasks.on("failed", (event) => failed.push(event));
        tasks.prewarm("thread-1");
        const turn = tasks.thread("thread-1").run(async ({ task }) => task?.taskId);
        expect(await turn).toBe("task_1");
        expect(failed.map(({ prewarm }) => prewarm)).toEqual([true]);
      }
    }
  });

  it("that hangs costs a turn no more than the turn's own time", async () => {
    const world = await startWorld({ deadlineMs: AN_HOUR_MS });
    const tasks = world.tasks({ deadlineMs: 400 });
    world.authority.fault("register_task", { kind: "hang" }, Number.POSITIVE_INFINITY);
    tasks.prewarm("thread-1");
    await expectRejection(tasks.ensure("thread-1"), TaskRegistrationError, "timeout");
  });

  it("that fails while no turn waits is reported by an event and nothing else", async () => {
    const world = await startWorld();
    const tasks = world.tasks();
    world.authority.fault("register_task", refusal(400, "invalid_request"));
    const failed = once(tasks, "failed");
    tasks.thread("thread-1").prewarm();
    const [event] = await failed;
    expect(event).toMatchObject({ scope: "thread-1", prewarm: true });
    expect(event.error.code).toBe("invalid_request");
  });

  it("does nothing while the feature is off or there is no login", async () => {
    const world = await startWorld();
    const tasks = world.tasks();
    world.flag.on = false;
    tasks.prewarm("thread-1");
    expect(await tasks.ensure("thread-1")).toBeUndefined();
    world.flag.on = true;
    world.auth.set(undefined);
    tasks.prewarm("thread-1");
    expect(await tasks.ensure("thread-1")).toBeUndefined();
    expect(world.sent()).toBe(0);
  });
});

describe("a turn that is given up", () => {
  it("rejects with its signal's reason, and leaves the turn beside it its task", async () => {
    const world = await startWorld();
    const tasks = world.tasks();
    const { opened, open } = gate();
    world.authority.fault("register_task", { kind: "hold", until: opened });
    const controller = new AbortController();
    const first = tasks.ensure("thread-1", { signal: controller.signal });
    const second = tasks.ensure("thread-1");
    controller.abort();
    expect(await first.catch((error: unknown) => error)).toBe(controller.signal.reason);
    open();
    expect((await second)?.taskId).toBe("task_1");
    expect(world.authority.counts.registerTask).toBe(1);
  });

  it("ends the registration if no other turn waits for it", async () => {
    const world = await startWorld();
    const tasks = world.tasks();
    world.authority.fault("register_task", { kind: "hang" });
    const controller = new AbortController();
    const failed = once(tasks, "failed");
    const turn = tasks.ensure("thread-1", { signal: controller.signal });
    await expect.poll(() => world.authority.counts.registerTask).toBe(1);
    controller.abort();
    expect(await turn.catch((error: unknown) => error)).toBe(controller.signal.reason);
    expect((await failed)[0].error.code).toBe("cancelled");
    const reason = { not: "even an error" };
    const signal = AbortSignal.abort(reason);
    const thread = tasks.thread("thread-1");
    const calls = [
      () => tasks.ensure("thread-1", { signal }),
      () => thread.ensure({ signal }),
      () => thread.run(async () => "never", { signal }),
    ];
    for (const call of calls) await expect(call()).rejects.toBe(reason);
    expect(await tasks.ensure("thread-1")).toBeDefined();
    // Also with a task that needs no waiting; what a turn throws stays its own.
    for (const call of calls.slice(0, 2)) await expect(call()).rejects.toBe(reason);
    const late = new AbortController();
    const failure = new Error("of the turn");
    const failing = async () => {
      late.abort();
      throw failure;
    };
    await expect(thread.run(failing, { signal: late.signal })).rejects.toBe(failure);
  });

  it("does not take along the turn that begins in the same moment", async () => {
    const world = await startWorld();
    const tasks = world.tasks();
    await world.identities.ensure();
    // The second turn begins at each step of the first one's end.
    for (let step = 0; step < 20; step += 1) {
      const before = world.authority.counts.registerTask;
      const { opened, open } = gate();
      world.authority.fault("register_task", { kind: "hold", until: opened });
      const controller = new AbortController();
      const turn = tasks.ensure(`thread-${step}`, { signal: controller.signal });
      const ended = turn.catch((error: unknown) => error);
      await expect
        .poll(() => world.authority.counts.registerTask, { interval: 1 })
        .toBe(before + 1);
      controller.abort();
      for (let tick = 0; tick < step; tick += 1) await undefined;
      // Either it joins the request that is on its way, or it sends its own.
      const next = tasks.ensure(`thread-${step}`);
      open();
      expect(await next).toBeDefined();
      expect(await ended).toBe(controller.signal.reason);
    }
  });

  it("ends when the manager is closed", async () => {
    const world = await startWorld();
    const tasks = world.tasks();
    world.authority.fault("register_task", { kind: "hang" });
    const turn = expectRejection(tasks.ensure("thread-1"), TaskRegistrationError, "cancelled");
    await expect.poll(() => world.authority.counts.registerTask).toBe(1);
    const failed: string[] = [];
    tasks.on("failed", ({ error }) => failed.push(error.code));
    await tasks.close();
    // Closing waits for what it ended: nothing is told after it.
    expect(failed).toEqual(["cancelled"]);
    await turn;
  });
});
