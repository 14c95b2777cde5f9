import { AsyncLocalStorage } from "node:async_hooks";
import type { HumanAuth } from "@countersign/agent-identity";
import { describe, expect, it } from "vitest";
import { gate, startWorld } from "./world.js";

/** Two humans who work at the same time: `as` says whose call it is. Both have an agent. */
async function startTwoHumans() {
  const human = new AsyncLocalStorage<HumanAuth>();
  const world = await startWorld({ auth: { current: () => human.getStore() } });
  const as = <T>(who: HumanAuth, work: () => T): T => human.run(who, work);
  const humans = [world.human, world.login("acct-2", "user-2")] as const;
  for (const who of humans) await as(who, () => world.identities.ensure());
  const { opened, open } = gate();
  world.authority.fault("register_task", { kind: "hold", until: opened });
  return { world, as, humans, open };
}

describe("humans who work in one thread at the same time", () => {
  it("never get a task of each other's agent, while one of them registers it (G-I3)", async () => {
    const { world, as, humans, open } = await startTwoHumans();
    const thread = world.tasks().thread("thread-1");
    const first = as(humans[0], () => thread.credential());
    await expect.poll(() => world.authority.counts.registerTask).toBe(1);
    const second = as(humans[1], () => thread.credential());
    const third = as(humans[1], () => thread.run(async ({ task }) => task?.agentRuntimeId));
    open();
    expect(await first).toMatchObject({ agentRuntimeId: "agent_1" });
    expect(await second).toMatchObject({ agentRuntimeId: "agent_2" });
    expect(await third).toBe("agent_2");
    expect(world.authority.counts.registerTask).toBe(2);
  });

  it("never get one that was registered ahead of time for the other", async () => {
    const { world, as, humans, open } = await startTwoHumans();
    const thread = world.tasks().thread("thread-1");
    as(humans[0], () => thread.prewarm());
    await expect.poll(() => world.authority.counts.registerTask).toBe(1);
    const second = as(humans[1], () => thread.credential());
    open();
    expect(await second).toMatchObject({ agentRuntimeId: "agent_2" });
  });
});
