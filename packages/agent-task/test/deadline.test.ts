import { AgentIdentityManager, memoryStore } from "@countersign/agent-identity";
import { expectRejection } from "@countersign/testing/vitest";
import { describe, expect, it } from "vitest";
import { timedBy } from "../src/internal/task-timers.js";
import { memoryTaskStore } from "../src/store/memory-task-store.js";
import { TaskRegistrationError } from "../src/task-registration-error.js";
import { FakeTimers, settle } from "./fake-timers.js";
import { recordEvents } from "./record-events.js";
import { gate, startWorld } from "./world.js";

const FOREVER = Number.POSITIVE_INFINITY;

/** Whether a promise is still on its way. */
function watch(promise: Promise<unknown>): { pending: boolean } {
  const state = { pending: true };
  const end = () => {
    state.pending = false;
  };
  promise.then(end, end);
  return state;
}

describe("a turn whose authority hangs", () => {
  for (const [step, count] of [
    ["biscuit", "biscuit"],
    ["register_agent", "registerAgent"],
    ["register_task", "registerTask"],
  ] as const) {
    it(`at ${step} ends after 30 s in all, and the next one succeeds`, async () => {
      const world = await startWorld({ proof: "biscuit" });
      const timers = new FakeTimers();
      const tasks = world.tasks(timedBy(timers));
      world.authority.fault(step, { kind: "hang" }, FOREVER);
      const turn = tasks.ensure("thread-1");
      const failed = expectRejection(turn, TaskRegistrationError, "timeout");
      const state = watch(turn);
      await expect.poll(() => world.authority.counts[count]).toBe(1);
      await timers.advance(29_999);
      expect(state.pending).toBe(true);
      await timers.advance(1);
      expect(state.pending).toBe(false);
      const error = await failed;
      expect(error).toMatchObject({ retryable: true, scope: "thread-1" });
      expect(error.message).toContain(world.authority.url);
      expect(timers.size).toBe(0);
      world.authority.clearFaults();
      expect(await tasks.ensure("thread-1")).toBeDefined();
    });
  }

  it("because its login cannot be read ends after 30 s in all too, and with its caller", async () => {
    const hung = new Promise<undefined>(() => {});
    let login: "hangs" | "read" = "hangs";
    const world = await startWorld();
    const identities = new AgentIdentityManager({
      authority: world.authority.url,
      auth: { current: () => (login === "hangs" ? hung : world.auth.current()) },
      store: memoryStore(),
    });
    const timers = new FakeTimers();
    const thread = world.tasks({ identities, ...timedBy(timers) }).thread("thread-1");
    const caller = new AbortController();
    const turn = thread.run(async () => expect.unreachable("begun"));
    const givenUp = thread.run(async () => expect.unreachable("begun"), { signal: caller.signal });
    const request = thread.credential({ signal: caller.signal });
    const ended = expectRejection(request, TaskRegistrationError, "cancelled");
    const reason = new Error("given up");
    caller.abort(reason);
    await expect(givenUp).rejects.toBe(reason);
    await ended;
    const failed = expectRejection(turn, TaskRegistrationError, "timeout");
    await timers.advance(30_000);
    expect((await failed).message).toContain(`the authority at ${world.authority.url}`);
    expect(timers.size).toBe(0);
    login = "read";
    const task = await thread.ensure();
    expect(task).toBeDefined();
    // A thread that has its task looks at the login too.
    login = "hangs";
    const again = new AbortController();
    const held = thread.run(async () => expect.unreachable("begun"), { signal: again.signal });
    again.abort(reason);
    await expect(held).rejects.toBe(reason);
    const late = [
      thread.run(async () => expect.unreachable("begun"), { deadlineMs: 1000 }),
      thread.ensure({ deadlineMs: 1000 }),
      thread.credential({ deadlineMs: 1000 }),
    ].map((call) => expectRejection(call, TaskRegistrationError, "timeout"));
    await settle();
    await timers.advance(1000);
    await settle();
    await timers.advance(1);
    await Promise.all(late);
    expect(timers.size).toBe(0);
  });

  it("after a prewarm that hung waits no longer than its own 30 s", async () => {
    const world = await startWorld();
    const timers = new FakeTimers();
    const tasks = world.tasks(timedBy(timers));
    await world.identities.ensure();
    world.authority.fault("register_task", { kind: "hang" }, FOREVER);
    tasks.prewarm("thread-1");
    await expect.poll(() => world.authority.counts.registerTask).toBe(1);
    await timers.advance(10_000);
    const turn = tasks.ensure("thread-1");
    const failed = expectRejection(turn, TaskRegistrationError, "timeout");
    const state = watch(turn);
    await settle();
    await timers.advance(20_000);
    // The prewarm is over; the turn asks by itself, in what is left of its time.
    await expect.poll(() => world.authority.counts.registerTask).toBe(2);
    await timers.advance(9_999);
    expect(state.pending).toBe(true);
    await timers.advance(1);
    expect(state.pending).toBe(false);
    await failed;
    expect(timers.size).toBe(0);
  });

  it("begins nothing new when a prewarm used all of its time", async () => {
    const world = await startWorld();
    const timers = new FakeTimers();
    const tasks = world.tasks(timedBy(timers));
    await world.identities.ensure();
    world.authority.fault("register_task", { kind: "hang" }, FOREVER);
    const events = recordEvents(tasks);
    tasks.prewarm("thread-1");
    const failed = expectRejection(tasks.ensure("thread-1"), TaskRegistrationError, "timeout");
    await expect.poll(() => world.authority.counts.registerTask).toBe(1);
    await timers.advance(30_000);
    await failed;
    expect(world.authority.counts.registerTask).toBe(1);
    const told = events.map(([name]) => name).filter((name) => name !== "waiting");
    expect(told).toEqual(["registering", "failed"]);
  });
});

describe("the recovery of a refused request", () => {
  it("ends after 30 s in all, the wait for a busy thread included", async () => {
    const world = await startWorld();
    const timers = new FakeTimers();
    const store = memoryTaskStore();
    const thread = world.tasks({ store, ...timedBy(timers) }).thread("thread-1");
    const credential = await thread.credential();
    world.authority.fault("register_task", { kind: "hang" }, FOREVER);
    const { opened, open } = gate();
    const busy = store.withLock("thread-1", () => opened);
    const refusal = { code: "task_revoked", origin: "https://api.example" } as const;
    const recovery = thread.refused(credential, refusal);
    const failed = expectRejection(recovery, TaskRegistrationError, "timeout");
    const state = watch(recovery);
    await settle();
    await timers.advance(20_000);
    open();
    await busy;
    await expect.poll(() => world.authority.counts.registerTask).toBe(2);
    await timers.advance(9_999);
    expect(state.pending).toBe(true);
    await timers.advance(1);
    await failed;
    expect(timers.size).toBe(0);
  });

  it("ends after 30 s when the thread stays busy", async () => {
    const world = await startWorld();
    const timers = new FakeTimers();
    const store = memoryTaskStore();
    const thread = world.tasks({ store, ...timedBy(timers) }).thread("thread-1");
    const credential = await thread.credential();
    const { opened, open } = gate();
    const busy = store.withLock("thread-1", () => opened);
    const refusal = { code: "task_revoked", origin: "https://api.example" } as const;
    const failed = expectRejection(
      thread.refused(credential, refusal),
      TaskRegistrationError,
      "timeout",
    );
    await settle();
    await timers.advance(30_000);
    await failed;
    open();
    await busy;
  });
});
