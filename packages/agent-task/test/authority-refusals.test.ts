import { fixedAuth } from "@countersign/agent-identity";
import { expectRejection } from "@countersign/testing/vitest";
import { describe, expect, it } from "vitest";
import { TaskRegistrationError } from "../src/task-registration-error.js";
import { refusal, startWorld } from "./world.js";

// In the middle of a second, which is where `Date` puts it: clocks that stand still here differ by whole seconds.
const INSTANT = Date.UTC(2026, 2, 23, 12, 0, 0, 500);

describe("unknown_agent from the authority", () => {
  it("registers one new agent for the same human, then the task once", async () => {
    const world = await startWorld();
    const tasks = world.tasks();
    const first = await tasks.ensure("thread-1");
    world.authority.forgetAgent("agent_1");
    world.sent();
    const second = await tasks.ensure("thread-2");
    // Refused, a new agent, the task.
    expect(world.sent()).toBe(3);
    expect(second?.agentRuntimeId).toBe("agent_2");
    expect(second?.key.publicKey.line).not.toBe(first?.key.publicKey.line);
    const again = await tasks.ensure("thread-1");
    expect(again?.agentRuntimeId).toBe("agent_2");
    expect(world.authority.counts.registerAgent).toBe(2);
  });

  it("stops after one new agent, also in the turns that follow", async () => {
    const world = await startWorld();
    const tasks = world.tasks();
    await world.identities.ensure();
    world.authority.fault("register_task", refusal(401, "unknown_agent"), Number.POSITIVE_INFINITY);
    const error = await expectRejection(tasks.ensure("a"), TaskRegistrationError, "unknown_agent");
    expect(error.hint).toContain(world.authority.url);
    expect(world.authority.counts).toMatchObject({ registerAgent: 2, registerTask: 2 });
    await expectRejection(tasks.ensure("a"), TaskRegistrationError, "unknown_agent");
    await expectRejection(tasks.ensure("b"), TaskRegistrationError, "unknown_agent");
    expect(world.authority.counts).toMatchObject({ registerAgent: 2, registerTask: 4 });
  });

  it("makes another new agent after 10 minutes, and not before", async () => {
    const clock = { ms: INSTANT };
    const now = () => clock.ms;
    const world = await startWorld({ now, authorityNow: now });
    const tasks = world.tasks();
    world.authority.fault("register_task", refusal(401, "unknown_agent"), Number.POSITIVE_INFINITY);
    for (const [ms, agents] of [
      [0, 2],
      [599_000, 2],
      [1_000, 3],
    ] as const) {
      clock.ms += ms;
      await expectRejection(tasks.ensure("a"), TaskRegistrationError, "unknown_agent");
      expect(world.authority.counts.registerAgent).toBe(agents);
    }
  });

  it("makes one new agent for many threads that are refused at the same time", async () => {
    const world = await startWorld();
    const tasks = world.tasks();
    await world.identities.ensure();
    world.authority.forgetAgent("agent_1");
    const scopes = Array.from({ length: 10 }, (_, index) => `thread-${index}`);
    const all = await Promise.all(scopes.map((scope) => tasks.ensure(scope)));
    expect(new Set(all.map((task) => task?.agentRuntimeId))).toEqual(new Set(["agent_2"]));
    expect(world.authority.counts.registerAgent).toBe(2);
  });
});

describe("agent_revoked from the authority", () => {
  it("is final, replaces nothing and says who must act (G-I5)", async () => {
    const world = await startWorld();
    const tasks = world.tasks();
    await world.identities.ensure();
    world.authority.revokeAgent("agent_1");
    const refused: object[] = [];
    world.identities.on("refused", (event) => refused.push(event));
    const error = await expectRejection(tasks.ensure("a"), TaskRegistrationError, "agent_revoked");
    expect(refused).toMatchObject([{ agentRuntimeId: "agent_1", code: "agent_revoked" }]);
    expect(error.retryable).toBe(false);
    expect(error.hint).toContain(`the operator of ${world.authority.url}`);
    expect(world.authority.counts).toMatchObject({ registerAgent: 1, registerTask: 1 });
  });
});

describe("agent_expired from the authority", () => {
  it("registers the same key once, then the task once", async () => {
    const world = await startWorld();
    const tasks = world.tasks();
    const before = await world.identities.ensure();
    world.authority.expireAgent("agent_1");
    const task = await tasks.ensure("thread-1");
    expect(task?.agentRuntimeId).toBe("agent_1");
    expect(task?.key.publicKey.line).toBe(before?.key.publicKey.line);
    expect(world.authority.counts).toMatchObject({ registerAgent: 2, registerTask: 2 });
  });

  it("stops when it says so again", async () => {
    const world = await startWorld();
    const tasks = world.tasks();
    world.authority.fault("register_task", refusal(401, "agent_expired"), Number.POSITIVE_INFINITY);
    const error = await expectRejection(tasks.ensure("a"), TaskRegistrationError, "agent_expired");
    expect(error.hint).toContain("log in again");
    expect(world.authority.counts).toMatchObject({ registerAgent: 2, registerTask: 2 });
  });

  it("stops and says so without human auth", async () => {
    const world = await startWorld();
    const identity = await world.identities.ensure();
    if (identity === undefined) throw new Error("no identity");
    const alone = await startWorld({
      authority: world.authority,
      auth: fixedAuth({ kind: "agent", identity }),
    });
    world.authority.expireAgent("agent_1");
    const error = await expectRejection(
      alone.tasks().ensure("a"),
      TaskRegistrationError,
      "agent_expired",
    );
    expect(error.hint).toContain("as the human that the agent works for");
    expect(world.authority.counts.registerAgent).toBe(1);
  });
});

describe("a refusal for the time from the authority", () => {
  it("leads to its clock, by one question, and one more try", async () => {
    for (const ahead of [7200, -7200]) {
      const world = await startWorld({
        authorityNow: () => INSTANT,
        now: () => INSTANT - ahead * 1000,
      });
      const tasks = world.tasks();
      expect(await tasks.ensure("thread-1")).toBeDefined();
      expect(world.authority.counts).toMatchObject({ registerTask: 2, whoami: 1 });
      const { credential } = await tasks.thread("thread-1").run(async (turn) => turn);
      if (credential.kind !== "agent") throw new Error("not the agent's");
      expect(credential.clockOffsetSeconds).toBe(ahead);
      await tasks.ensure("thread-2");
      expect(world.authority.counts).toMatchObject({ registerTask: 3, whoami: 1 });
    }
  });

  it("is handed up when the clocks agree, after one try", async () => {
    const world = await startWorld({ authorityNow: () => INSTANT, now: () => INSTANT });
    const tasks = world.tasks();
    world.authority.fault("register_task", refusal(401, "expired"), Number.POSITIVE_INFINITY);
    await expectRejection(tasks.ensure("a"), TaskRegistrationError, "expired");
    expect(world.authority.counts.registerTask).toBe(1);
  });

  it("is handed up when the authority does not tell its time", async () => {
    const world = await startWorld({ now: () => Date.now() - 7_200_000 });
    const tasks = world.tasks();
    world.authority.fault("whoami", { kind: "status", status: 404 });
    await expectRejection(tasks.ensure("a"), TaskRegistrationError, "expired");
    expect(world.authority.counts).toMatchObject({ registerTask: 1, whoami: 1 });
  });
});

describe("a refusal of the human", () => {
  it("is handed up with the remedy", async () => {
    const world = await startWorld({ proof: "biscuit" });
    const tasks = world.tasks();
    await world.identities.ensure();
    world.authority.removeHuman(world.human.accessToken);
    const error = await expectRejection(
      tasks.ensure("a"),
      TaskRegistrationError,
      "unauthenticated",
    );
    expect(error.hint).toContain("log in");
    expect(world.authority.counts.registerTask).toBe(0);
  });
});
