import type { AgentCredential, Code, Credential } from "@countersign/agent-key";
import { headerOf } from "@countersign/testing";
import { expectRejection } from "@countersign/testing/vitest";
import { describe, expect, it } from "vitest";
import type { AgentThread } from "../src/agent-thread.js";
import { TaskRegistrationError } from "../src/task-registration-error.js";
import { recordEvents } from "./record-events.js";
import { refusal, startWorld } from "./world.js";

const origin = "https://api.example";
const other = "https://other.example";
// In the middle of a second, which is where `Date` puts it: clocks that stand still here differ by whole seconds.
const INSTANT = Date.UTC(2026, 2, 23, 12, 0, 0, 500);
const TASK_CODES: readonly (Code | undefined)[] = [
  "unknown_task",
  "task_revoked",
  "task_expired",
  undefined,
];

async function agentCredential(thread: AgentThread): Promise<AgentCredential> {
  return expectAgent(await thread.credential());
}

function expectAgent(credential: Credential | undefined): AgentCredential {
  if (credential?.kind !== "agent") throw new Error("not the agent's credential");
  return credential;
}

describe("a turn whose request is refused", () => {
  it("goes on with the new task, and keeps its own where nothing was recovered", async () => {
    const world = await startWorld();
    const thread = world.tasks().thread("thread-1");
    await thread.run(async (turn) => {
      const { credential, task } = turn;
      const first = expectAgent(credential);
      expect(task?.taskId).toBe(first.taskId);
      expect(await thread.refused(first, { code: "forbidden", origin })).toBeUndefined();
      expect([turn.task, turn.credential]).toEqual([task, first]);
      const next = expectAgent(await thread.refused(first, { code: "task_revoked", origin }));
      expect(next.taskId).not.toBe(first.taskId);
      expect(turn.task?.taskId).toBe(next.taskId);
      expect(turn.credential).toBe(next);
    });
  });

  it("goes on by the corrected clock", async () => {
    let ahead = 0;
    const world = await startWorld({
      authorityNow: () => INSTANT,
      now: () => INSTANT + ahead * 1000,
    });
    const thread = world.tasks().thread("thread-1");
    await thread.run(async (turn) => {
      const { credential, task } = turn;
      const first = expectAgent(credential);
      ahead = 3600;
      const next = await thread.refused(first, { code: "not_yet_valid", origin });
      expect(next).not.toBe(first);
      expect([turn.task, turn.credential]).toEqual([task, next]);
      expect(turn.credential).toBe(next);
    });
  });

  it("keeps its own task where another human's takes its place", async () => {
    const world = await startWorld();
    const tasks = world.tasks();
    const thread = tasks.thread("thread-1");
    const { authority } = world;
    const other = await startWorld({ authority, account: "acct-2" });
    await thread.run(async (turn) => {
      const { task, credential } = turn;
      world.auth.set(await other.auth.current());
      const replaced = await thread.credential();
      expect(expectAgent(replaced).taskId).not.toBe(task?.taskId);
      expect([turn.task, turn.credential]).toEqual([task, credential]);
    });
  });
});

describe("a refused request", () => {
  it("is handed up for every code that a new task does not mend", async () => {
    const world = await startWorld();
    const thread = world.tasks().thread("thread-1");
    const credential = await agentCredential(thread);
    world.sent();
    const codes: Code[] = ["bad_signature", "malformed", "missing", "replayed", "binding_required"];
    for (const code of [...codes, "binding_mismatch", "forbidden", "unauthenticated"] as const) {
      expect(await thread.refused(credential, { code, origin })).toBeUndefined();
    }
    expect(world.sent()).toBe(0);
    expect((await agentCredential(thread)).taskId).toBe(credential.taskId);
  });

  it("brings another task also where the thread has one of another agent or authority", async () => {
    for (const change of [
      { authority: "https://other.example" },
      { agent_runtime_id: "agent_9" },
    ]) {
      const world = await startWorld();
      const tasks = world.tasks({ store: world.store });
      const thread = tasks.thread("thread-1");
      const credential = await agentCredential(thread);
      const stored = (await world.store.load("thread-1")) ?? expect.fail("not stored");
      const [mine = expect.fail("no task")] = stored.tasks;
      const other = { ...mine, ...change, task_id: "task_9" };
      await world.store.save("thread-1", { ...stored, tasks: [other, mine] });
      const events = recordEvents(tasks);
      const next = await thread.refused(credential, { code: "unknown_task", origin });
      expect(next).toMatchObject({ taskId: "task_2" });
      expect(events.map(([name]) => name)).toEqual(["discarded", "registering", "registered"]);
      const kept = (await world.store.load("thread-1"))?.tasks;
      expect(kept).toMatchObject([other, { task_id: "task_2" }]);
    }
  });

  it("is handed up when it carried the human's token", async () => {
    const world = await startWorld();
    world.flag.on = false;
    const thread = world.tasks().thread("thread-1");
    const credential = await thread.credential();
    expect(await thread.refused(credential, { code: "unknown_task", origin })).toBeUndefined();
    expect(world.sent()).toBe(0);
  });

  for (const code of TASK_CODES) {
    it(`gets one new task for ${code ?? "a 401 without a code"}, and no second one`, async () => {
      const world = await startWorld();
      const tasks = world.tasks();
      const thread = tasks.thread("thread-1");
      const discarded: unknown[] = [];
      tasks.on("discarded", (event) => discarded.push(event));
      const first = await agentCredential(thread);
      world.sent();
      const second = expectAgent(await thread.refused(first, { code, origin }));
      expect(world.sent()).toBe(1);
      expect(second.taskId).not.toBe(first.taskId);
      expect(await thread.refused(second, { code, origin })).toBeUndefined();
      expect(world.sent()).toBe(0);
      expect(discarded).toEqual([
        {
          scope: "thread-1",
          authority: world.authority.url,
          agentRuntimeId: "agent_1",
          taskId: first.taskId,
          reason: code,
        },
      ]);
      expect((await tasks.list())[0]?.tasks.map((task) => task.task_id)).toEqual([second.taskId]);
    });
  }

  it("is recovered again when a request there was answered, for that origin alone", async () => {
    const world = await startWorld();
    const thread = world.tasks().thread("thread-1");
    const code = "task_revoked";
    const first = await agentCredential(thread);
    const second = expectAgent(await thread.refused(first, { code, origin }));
    // A late answer to the refused task, and another origin's, give nothing back.
    thread.accepted(first, origin);
    thread.accepted(second, other);
    expect(await thread.refused(second, { code, origin })).toBeUndefined();
    thread.accepted(second, origin);
    const third = expectAgent(await thread.refused(second, { code, origin }));
    expect(third.taskId).not.toBe(second.taskId);
  });

  it("is recovered again after 10 minutes, and has a budget for each origin and thread", async () => {
    let now = Date.now();
    const world = await startWorld({ now: () => now });
    const tasks = world.tasks();
    const thread = tasks.thread("thread-1");
    const code = "unknown_task";
    const first = await agentCredential(thread);
    const second = expectAgent(await thread.refused(first, { code, origin }));
    expect(await thread.refused(second, { code, origin })).toBeUndefined();
    const third = expectAgent(await thread.refused(second, { code, origin: other }));
    expect(await thread.refused(third, { code, origin })).toBeUndefined();
    now += 10 * 60 * 1000;
    expectAgent(await thread.refused(third, { code, origin }));
    const beside = tasks.thread("thread-2");
    const its = await agentCredential(beside);
    expectAgent(await beside.refused(its, { code, origin }));
  });

  it("shares one recovery with all requests that were refused at once", async () => {
    const world = await startWorld();
    const thread = world.tasks().thread("thread-1");
    const first = await agentCredential(thread);
    world.sent();
    const all = await Promise.all(
      Array.from({ length: 20 }, () => thread.refused(first, { code: "task_revoked", origin })),
    );
    expect(world.sent()).toBe(1);
    expect(new Set(all.map((credential) => expectAgent(credential).taskId)).size).toBe(1);
    // And with one that comes late, although the budget is spent.
    const late = await thread.refused(first, { code: "task_revoked", origin });
    expect(expectAgent(late).taskId).toBe(expectAgent(all[0]).taskId);
    expect(world.sent()).toBe(0);
  });

  it("carries a fresh random key for the replacement, kept for its own retries", async () => {
    const world = await startWorld();
    const thread = world.tasks().thread("thread-1");
    const first = await agentCredential(thread);
    world.authority.fault("register_task", { kind: "status", status: 503 }, 3);
    world.authority.fault("register_task", { kind: "lose" });
    const code = "unknown_task";
    await expectRejection(
      thread.refused(first, { code, origin }),
      TaskRegistrationError,
      "server_error",
    );
    const second = await agentCredential(thread);
    expect(second.taskId).not.toBe(first.taskId);
    const keys = world.authority.requests
      .filter(({ step }) => step === "register_task")
      .map((request) => headerOf(request, "idempotency-key"));
    expect(keys).toHaveLength(6);
    expect(new Set(keys.slice(1)).size).toBe(1);
    expect(keys[1]).not.toBe(keys[0]);
    expect(world.authority.tasks).toHaveLength(2);
  });

  it("is handed up when somebody else is logged in by now", async () => {
    const world = await startWorld();
    const thread = world.tasks().thread("thread-1");
    const first = await agentCredential(thread);
    world.sent();
    for (const other of [world.login("acct-2"), world.login("acct-1", "user-2")]) {
      world.auth.set(other);
      for (const code of ["task_revoked", "expired"] as const) {
        expect(await thread.refused(first, { code, origin })).toBeUndefined();
      }
    }
    world.auth.set(undefined);
    expect(await thread.refused(first, { code: "unknown_task", origin: other })).toBeUndefined();
    expect(world.sent()).toBe(0);
  });

  it("takes the task that another process has registered since", async () => {
    const world = await startWorld();
    const first = world.tasks({ store: world.store });
    const second = world.tasks({ store: world.store });
    const mine = await agentCredential(first.thread("thread-1"));
    const same = await agentCredential(second.thread("thread-1"));
    expect(same.taskId).toBe(mine.taskId);
    const code = "task_revoked";
    const replaced = expectAgent(await first.thread("thread-1").refused(mine, { code, origin }));
    world.sent();
    const taken = expectAgent(await second.thread("thread-1").refused(same, { code, origin }));
    expect(taken.taskId).toBe(replaced.taskId);
    expect(world.sent()).toBe(0);
  });
});

describe("a late refusal", () => {
  it("of a task that was renewed since, or of a former key, brings what took its place, without a request", async () => {
    const clock = { ms: INSTANT };
    const now = () => clock.ms;
    const world = await startWorld({ now, authorityNow: now });
    world.authority.taskLifetimeSeconds = 3600;
    const thread = world.tasks().thread("thread-1");
    const first = await agentCredential(thread);
    clock.ms += 3_590_000;
    const renewed = await agentCredential(thread);
    expect(renewed.taskId).not.toBe(first.taskId);
    world.sent();
    expect(await thread.refused(first, { code: "task_expired", origin })).toBe(renewed);
    await world.identities.rotate();
    const rotated = await agentCredential(thread);
    expect([rotated.taskId, rotated.key === renewed.key]).toEqual([renewed.taskId, false]);
    world.sent();
    expect(await thread.refused(renewed, { code: undefined, origin })).toBe(rotated);
    expect(world.sent()).toBe(0);
  });
});

describe("what a resource server says of the agent", () => {
  for (const code of ["unknown_agent", "agent_revoked", "agent_expired"] as const) {
    it(`is a hint: after ${code} the authority is asked once, and keeps the agent (G-I5)`, async () => {
      const world = await startWorld();
      const thread = world.tasks().thread("thread-1");
      const first = await agentCredential(thread);
      world.sent();
      const second = expectAgent(await thread.refused(first, { code, origin }));
      expect(second.agentRuntimeId).toBe(first.agentRuntimeId);
      expect(world.sent()).toBe(1);
      expect(await thread.refused(second, { code, origin })).toBeUndefined();
      expect(world.authority.counts.registerAgent).toBe(1);
    });
  }

  it("stops the agent when the authority says so itself", async () => {
    const world = await startWorld();
    const thread = world.tasks().thread("thread-1");
    const first = await agentCredential(thread);
    world.authority.revokeAgent(first.agentRuntimeId);
    const error = await expectRejection(
      thread.refused(first, { code: "agent_revoked", origin }),
      TaskRegistrationError,
      "agent_revoked",
    );
    expect(error.hint).toContain("operator");
    expect(world.authority.counts.registerAgent).toBe(1);
  });

  it("replaces the agent when the authority does not know it either", async () => {
    const world = await startWorld();
    const thread = world.tasks().thread("thread-1");
    const first = await agentCredential(thread);
    world.authority.forgetAgent(first.agentRuntimeId);
    const second = expectAgent(await thread.refused(first, { code: "unknown_agent", origin }));
    expect(second.agentRuntimeId).toBe("agent_2");
    expect(second.key.publicKey.line).not.toBe(first.key.publicKey.line);
  });
});

describe("a refusal for the time", () => {
  it("is corrected by the authority's clock, once", async () => {
    let ahead = 0;
    const world = await startWorld({
      authorityNow: () => INSTANT,
      now: () => INSTANT + ahead * 1000,
    });
    const thread = world.tasks().thread("thread-1");
    const first = await agentCredential(thread);
    expect(first.clockOffsetSeconds).toBeUndefined();
    // From here on this machine's clock is wrong.
    ahead = 3600;
    const second = expectAgent(await thread.refused(first, { code: "not_yet_valid", origin }));
    expect(second.clockOffsetSeconds).toBe(-3600);
    expect(second.taskId).toBe(first.taskId);
    expect(world.authority.counts).toMatchObject({ whoami: 1, registerTask: 1 });
    expect(await thread.refused(second, { code: "not_yet_valid", origin })).toBeUndefined();
    // Who was signed with the old offset gets the new one without a question.
    const late = expectAgent(await thread.refused(first, { code: "not_yet_valid", origin }));
    expect(late.clockOffsetSeconds).toBe(second.clockOffsetSeconds);
    expect(world.authority.counts.whoami).toBe(1);
  });

  it("is handed up when this machine's clock agrees with the authority's (G-I8)", async () => {
    const world = await startWorld({ authorityNow: () => INSTANT, now: () => INSTANT });
    const thread = world.tasks().thread("thread-1");
    const first = await agentCredential(thread);
    for (const code of ["expired", "not_yet_valid"] as const) {
      expect(await thread.refused(first, { code, origin })).toBeUndefined();
    }
    expect(world.authority.counts).toMatchObject({ whoami: 0, registerTask: 1 });
  });
});

describe("a recovery that fails", () => {
  it("rejects, and the next turn tries again", async () => {
    const world = await startWorld();
    const thread = world.tasks().thread("thread-1");
    const first = await agentCredential(thread);
    world.authority.fault("register_task", refusal(400, "invalid_request"));
    await expectRejection(
      thread.refused(first, { code: "task_revoked", origin }),
      TaskRegistrationError,
      "invalid_request",
    );
    expect((await agentCredential(thread)).taskId).not.toBe(first.taskId);
  });
});
