import { AsyncLocalStorage } from "node:async_hooks";
import { TaskRegistrationError } from "@countersign/agent-task";
import { expectRejection } from "@countersign/testing/vitest";
import { describe, expect, test } from "vitest";
import { callerOf, startWorld } from "./world.js";

/** One connected agent for two humans who work at the same time: `as` says whose call it is. */
async function startTwoHumans() {
  const world = await startWorld();
  const second = world.authority.addHuman({ accountId: "acct-2", userId: "user-2" });
  const human = new AsyncLocalStorage<string>();
  const agent = world.connect({ accessToken: () => human.getStore() });
  const as = <T>(token: string, work: () => T): T => human.run(token, work);
  return { world, agent, as, tokens: [world.accessToken, second] as const };
}

describe("humans who work at the same time", () => {
  test("a revocation ends the turns of the revoked agent, and no other turn", async () => {
    const { world, agent, as, tokens } = await startTwoHumans();
    const [mine, theirs] = [agent.thread("mine"), agent.thread("theirs")];
    let answer = () => {};
    world.api.until = new Promise<void>((resolve) => {
      answer = resolve;
    });
    const turn = (thread: typeof mine) =>
      thread.run(() => callerOf(thread.fetch(`${world.api.url}/slow`, { signal: thread.signal })));
    const ended = as(tokens[0], () => turn(mine)).catch((error: unknown) => error);
    const goesOn = as(tokens[1], () => turn(theirs));
    await expect.poll(() => world.api.requests.length).toBe(2);
    const revoked = world.authority.agents.find(({ userId }) => userId === "user-1");
    world.authority.revokeAgent(revoked?.agentRuntimeId ?? "");
    const other = agent.thread("other");
    const error = await expectRejection(
      as(tokens[0], () => other.run(async () => expect.unreachable("begun"))),
      TaskRegistrationError,
      "agent_revoked",
    );
    expect(await ended).toBe(error);
    answer();
    expect(await goesOn).toMatchObject({ accountId: "acct-2", userId: "user-2" });
  });

  test("each have a task of their own in a thread that they share, from the first request on", async () => {
    const { world, agent, as, tokens } = await startTwoHumans();
    const call = (id: string) => callerOf(agent.thread(id).fetch(world.api.url));
    // Both agents are known: the registrations of their tasks begin at once.
    for (const token of tokens) await as(token, () => call("before"));
    for (const _ of ["first", "again"]) {
      const callers = await Promise.all(tokens.map((token) => as(token, () => call("shared"))));
      expect(callers.map(({ userId }) => userId)).toEqual(["user-1", "user-2"]);
    }
    expect(world.authority.counts).toMatchObject({ registerAgent: 2, registerTask: 4 });
  });
});
