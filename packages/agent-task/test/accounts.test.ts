import { describe, expect, it } from "vitest";
import { AgentTaskManager } from "../src/agent-task-manager.js";
import { gate, refusal, startWorld } from "./world.js";

describe("a switch of accounts", () => {
  it("gives the thread a task of the other agent, and registers nothing when it is switched back", async () => {
    const world = await startWorld();
    const tasks = world.tasks();
    const first = await tasks.ensure("thread-1");
    world.auth.set(world.login("acct-2"));
    const second = await tasks.ensure("thread-1");
    expect(second?.agentRuntimeId).not.toBe(first?.agentRuntimeId);
    expect((await tasks.list())[0]?.tasks).toHaveLength(2);
    world.sent();
    world.auth.set(world.human);
    const back = await tasks.ensure("thread-1");
    expect(back?.taskId).toBe(first?.taskId);
    expect(back?.key.publicKey.line).toBe(first?.key.publicKey.line);
    expect(world.sent()).toBe(0);
  });

  it("gives a run a task of the other agent, whose key signs for it", async () => {
    const world = await startWorld();
    const tasks = world.tasks();
    const run = tasks.run();
    const first = await run.credential();
    const other = world.login("acct-2");
    world.auth.set(other);
    const second = await run.credential();
    const identity = (await world.identities.peek()) ?? expect.fail("no identity");
    expect(first).toMatchObject({ taskId: "task_1" });
    expect(second).toMatchObject({
      kind: "agent",
      taskId: "task_2",
      agentRuntimeId: identity.agentRuntimeId,
      key: identity.key,
    });
  });

  it("while the task is registered gives the turn a task of who is at work then", async () => {
    const world = await startWorld();
    const tasks = world.tasks();
    await world.identities.ensure();
    const { opened, open } = gate();
    world.authority.fault("register_task", { kind: "hold", until: opened });
    const turn = tasks.ensure("thread-1");
    await expect.poll(() => world.authority.counts.registerTask).toBe(1);
    world.auth.set(world.login("acct-2"));
    open();
    expect((await turn)?.agentRuntimeId).toBe("agent_2");
    world.auth.set(world.human);
    world.sent();
    expect((await tasks.ensure("thread-1"))?.agentRuntimeId).toBe("agent_1");
    expect(world.sent()).toBe(0);
  });

  it("while a refused agent is replaced never gives the other one's task", async () => {
    const world = await startWorld();
    const tasks = world.tasks();
    await world.identities.ensure();
    const { opened, open } = gate();
    world.authority.fault("register_task", refusal(401, "unknown_agent"));
    world.authority.fault("register_agent", { kind: "hold", until: opened });
    const turn = tasks.ensure("thread-1");
    await expect.poll(() => world.authority.counts.registerAgent).toBe(2);
    world.auth.set(world.login("acct-2"));
    open();
    const task = await turn;
    const agent = world.authority.agents.find(
      ({ agentRuntimeId }) => agentRuntimeId === task?.agentRuntimeId,
    );
    expect(agent?.accountId).toBe("acct-2");
  });

  it("at any moment of a registration never mixes two humans (G-I3)", async () => {
    for (let calls = 1; calls <= 16; calls += 1) {
      const world = await startWorld({ proof: "biscuit" });
      const second = world.login("acct-2");
      let left = calls;
      const current = () => {
        left -= 1;
        return left >= 0 ? world.human : second;
      };
      const { authority } = world;
      const between = await startWorld({ proof: "biscuit", authority, auth: { current } });
      const tasks = new AgentTaskManager({ identities: between.identities });
      const task = await tasks.ensure("thread-1");
      await tasks.close();
      const agent = authority.agents.find((one) => one.agentRuntimeId === task?.agentRuntimeId);
      expect(agent?.accountId).toBe(left >= 0 ? "acct-1" : "acct-2");
      const refused = authority.counts.registerTask - authority.tasks.length;
      expect(refused).toBe(0);
    }
  });

  it("in generation A proves each task by the biscuit of its own human", async () => {
    const world = await startWorld({ proof: "biscuit" });
    const tasks = world.tasks();
    await tasks.ensure("thread-1");
    world.auth.set(world.login("acct-2"));
    await tasks.ensure("thread-1");
    expect(world.authority.tasks.map(({ agentRuntimeId }) => agentRuntimeId)).toEqual([
      "agent_1",
      "agent_2",
    ]);
  });
});

describe("a logout", () => {
  it("while the task is registered leaves the turn without one (G-I4)", async () => {
    const world = await startWorld();
    const tasks = world.tasks();
    await world.identities.ensure();
    const { opened, open } = gate();
    world.authority.fault("register_task", { kind: "hold", until: opened });
    const turn = tasks.ensure("thread-1");
    await expect.poll(() => world.authority.counts.registerTask).toBe(1);
    world.auth.set(undefined);
    open();
    expect(await turn).toBeUndefined();
    expect(await tasks.peek("thread-1")).toBeUndefined();
  });
});

describe("two authorities that issue equal ids", () => {
  it("never get each other's tasks out of one store (G-I1)", async () => {
    const one = await startWorld();
    const two = await startWorld();
    const first = await one.tasks({ store: one.store }).ensure("thread-1");
    const second = await two.tasks({ store: one.store }).ensure("thread-1");
    expect(second?.taskId).toBe(first?.taskId);
    expect(second?.authority).toBe(two.authority.url);
    expect(two.authority.tasks).toHaveLength(1);
    const stored = await one.store.load("thread-1");
    expect(stored?.tasks.map(({ authority }) => authority)).toEqual([
      one.authority.url,
      two.authority.url,
    ]);
  });
});
