import { AgentIdentityManager, fixedAuth, memoryStore } from "@countersign/agent-identity";
import { startTestAuthority } from "@countersign/testing";
import { expectRejection } from "@countersign/testing/vitest";
import { describe, expect, it, onTestFinished } from "vitest";
import { AgentTaskManager } from "../src/agent-task-manager.js";
import { TaskRegistrationError } from "../src/task-registration-error.js";
import { recordEvents } from "./record-events.js";
import { refusal, startWorld, type World, type WorldOptions } from "./world.js";

const FOREVER = Number.POSITIVE_INFINITY;
const RESTARTED_AFTER = 6;

/** A world whose attempts are bounded by the deadline alone, by a clock that only the pauses between them move. */
async function startPatientWorld(
  options: WorldOptions & { readonly onPause?: (count: number) => Promise<void> } = {},
): Promise<World & { readonly waited: { pauses: number; ms: number } }> {
  const { onPause, ...rest } = options;
  const waited = { pauses: 0, ms: 0 };
  const startedAt = Date.now();
  const world = await startWorld({
    unbounded: true,
    clientNow: () => startedAt + waited.ms,
    wait: async (delayMs) => {
      waited.pauses += 1;
      waited.ms += delayMs;
      await onPause?.(waited.pauses);
    },
    ...rest,
  });
  return Object.assign(world, { waited });
}

describe("a cold thread whose authority starts again", () => {
  it("gets its task in the same turn: the authority does not listen for a while", async () => {
    const world = await startPatientWorld({
      onPause: async (count) => {
        if (count === RESTARTED_AFTER) await world.authority.start();
      },
    });
    const tasks = world.tasks();
    await world.identities.ensure();
    await world.authority.stop();
    const events = recordEvents(tasks);
    expect(await tasks.ensure("thread-1")).toBeDefined();
    const retries = events.filter(([name]) => name === "retrying");
    expect(retries).toMatchObject(
      Array.from({ length: RESTARTED_AFTER }, (_, index) => [
        "retrying",
        { attempt: index + 1, code: "unreachable", scope: "thread-1" },
      ]),
    );
    expect(world.authority.counts.registerTask).toBe(1);
  });

  it("gets its agent and its task in the same turn", async () => {
    const world = await startPatientWorld({
      onPause: async (count) => {
        if (count === RESTARTED_AFTER) await world.authority.start();
      },
    });
    await world.authority.stop();
    expect(await world.tasks().ensure("thread-1")).toBeDefined();
    expect(world.authority.counts).toMatchObject({ registerAgent: 1, registerTask: 1 });
  });

  it("gets its task in the same turn: connections end without an answer, and 503 without Retry-After", async () => {
    const world = await startPatientWorld();
    world.authority.fault("register_task", { kind: "reset" }, 4);
    world.authority.fault("register_task", refusal(503, "server_error"), 4);
    expect(await world.tasks().ensure("thread-1")).toBeDefined();
    expect(world.authority.counts.registerTask).toBe(9);
    expect(world.authority.tasks).toHaveLength(1);
  });

  it("fails at its deadline if it never comes back, with unreachable", async () => {
    const world = await startPatientWorld();
    await world.authority.stop();
    await expectRejection(world.tasks().ensure("thread-1"), TaskRegistrationError, "unreachable");
    expect(world.waited.ms).toBeGreaterThan(25_000);
    expect(world.waited.ms).toBeLessThanOrEqual(30_000);
  });

  it("fails at the deadline of the call where that is earlier", async () => {
    const world = await startPatientWorld();
    const tasks = world.tasks();
    await world.authority.stop();
    const turn = tasks.thread("thread-1").credential({ deadlineMs: 8000 });
    await expectRejection(turn, TaskRegistrationError, "unreachable");
    expect(world.waited.ms).toBeGreaterThan(3000);
    expect(world.waited.ms).toBeLessThanOrEqual(8000);
  });

  it("ends at once when its caller does", async () => {
    const abort = new AbortController();
    const world = await startPatientWorld({
      onPause: async (count) => {
        if (count === RESTARTED_AFTER) abort.abort();
      },
    });
    await world.authority.stop();
    const turn = world.tasks().ensure("thread-1", { signal: abort.signal });
    expect(await turn.catch((error: unknown) => error)).toBe(abort.signal.reason);
    expect(world.waited.pauses).toBe(RESTARTED_AFTER);
  });
});

describe("a cold thread whose authority fails otherwise", () => {
  it.each([
    [500, "server_error"],
    [502, "server_error"],
    [429, "rate_limited"],
  ] as const)("with %i asks at most 3 times", async (status, code) => {
    const world = await startPatientWorld();
    world.authority.fault("register_task", refusal(status, code), FOREVER);
    await expectRejection(world.tasks().ensure("thread-1"), TaskRegistrationError, code);
    expect(world.authority.counts.registerTask).toBe(3);
  });
});

describe("a turn that has something else to go on with does not wait for a restart:", () => {
  it("a task that could not be renewed is used after 3 attempts", async () => {
    let passedMs = 0;
    const now = () => 1_790_000_000_000 + passedMs;
    const world = await startPatientWorld({ authorityNow: now, now });
    world.authority.taskLifetimeSeconds = 400;
    const tasks = world.tasks();
    const task = await tasks.ensure("thread-1");
    passedMs += 350_000;
    world.authority.fault("register_task", { kind: "reset" }, FOREVER);
    expect((await tasks.ensure("thread-1"))?.taskId).toBe(task?.taskId);
    expect(world.authority.counts.registerTask).toBe(1 + 3);
  });

  it("a declared fallback comes after 3 attempts, for the agent's registration too", async () => {
    const origin = "https://api.example";
    for (const step of ["register_agent", "register_task"] as const) {
      const world = await startPatientWorld();
      world.authority.fault(step, { kind: "reset" }, FOREVER);
      const tasks = world.tasks({ onFailure: "bearer", bearerOrigins: [origin] });
      const credential = await tasks.thread("thread-1").credential();
      expect(credential).toMatchObject({ kind: "bearer", reason: "fallback" });
      expect(world.waited.pauses).toBe(2);
    }
  });
});

it("attempts: 1 asks once, for the agent and for the task", async () => {
  const authority = await startTestAuthority();
  onTestFinished(() => authority.close());
  const human = { accountId: "acct-1", userId: "user-1" };
  const identities = new AgentIdentityManager({
    authority: authority.url,
    auth: fixedAuth({ kind: "human", ...human, accessToken: authority.addHuman(human) }),
    store: memoryStore(),
    attempts: 1,
  });
  onTestFinished(() => identities.close());
  const tasks = new AgentTaskManager({ identities });
  authority.fault("register_agent", refusal(503, "server_error"));
  await expectRejection(tasks.ensure("thread-1"), TaskRegistrationError, "server_error");
  authority.fault("register_task", { kind: "reset" });
  await expectRejection(tasks.ensure("thread-1"), TaskRegistrationError, "unreachable");
  expect(authority.counts).toMatchObject({ registerAgent: 2, registerTask: 1 });
});

describe("threads whose callers want a quick answer", () => {
  const QUICK = { deadlineMs: 8000, outageMs: 5000 };

  it("share what one of them learnt of the authority; who has a task goes on", async () => {
    const world = await startPatientWorld();
    const tasks = world.tasks({ store: world.store });
    const known = await tasks.thread("thread-1").credential();
    world.authority.fault("register_task", { kind: "reset" }, FOREVER);
    const failed = (id: string) =>
      expectRejection(tasks.thread(id).credential(QUICK), TaskRegistrationError, "unreachable");
    await failed("thread-2");
    const { registerTask } = world.authority.counts;
    await failed("thread-2");
    await failed("thread-3");
    expect(await tasks.thread("thread-1").credential(QUICK)).toBe(known);
    // Of another process's thread, from the store.
    expect(
      await world.tasks({ store: world.store }).thread("thread-1").credential(QUICK),
    ).toMatchObject({ kind: "agent", taskId: known.kind === "agent" ? known.taskId : "" });
    expect(world.authority.counts.registerTask).toBe(registerTask);
  });

  it("learn from the agent's own registration too", async () => {
    const world = await startPatientWorld();
    const tasks = world.tasks();
    world.authority.fault("register_agent", { kind: "reset" }, FOREVER);
    for (const id of ["thread-1", "thread-2"]) {
      const turn = tasks.thread(id).credential(QUICK);
      await expectRejection(turn, TaskRegistrationError, "unreachable");
    }
    // At once, soon, and once more within 8 s.
    expect(world.authority.counts.registerAgent).toBe(3);
  });

  it("have the recovery of a refused request end at once", async () => {
    const world = await startPatientWorld();
    const tasks = world.tasks();
    const thread = tasks.thread("thread-1");
    const credential = await thread.credential(QUICK);
    world.authority.fault("register_task", { kind: "reset" }, FOREVER);
    const cold = tasks.thread("thread-2").credential(QUICK);
    await expectRejection(cold, TaskRegistrationError, "unreachable");
    const { registerTask } = world.authority.counts;
    const refused = { code: "task_revoked", origin: "https://api.example" } as const;
    const recovery = thread.refused(credential, refused, QUICK);
    await expectRejection(recovery, TaskRegistrationError, "unreachable");
    expect(world.authority.counts.registerTask).toBe(registerTask);
  });
});
