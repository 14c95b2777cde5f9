import { makeAgentHome } from "../fixtures/agent-home.ts";
import { oneAtATime } from "../fixtures/contenders.ts";
import { CONSTANT_SOURCE } from "../fixtures/sources.ts";
import { callStub } from "../fixtures/stub-fetch.ts";
import type { ComparisonRow } from "../harness/row.ts";

// The same signed fetch on both sides, over a fetch that answers at once: the difference is the turn with its look at login, agent and task.
export const row: ComparisonRow = {
  kind: "comparison",
  name: "until-fetch-login",
  title: "a turn until fetch is called, login in the home",
  against: "the same with a constant credential",
  figure: "cost",
  decides: "cpu",
  goal: { limit: "at most", value: 4 },
  shortBecause:
    "One look at the home, two lstat, takes about as long as the whole call with a constant credential.",
  async open() {
    const home = await makeAgentHome();
    const { tasks } = home.program("stored");
    const thread = tasks.thread("thread-1");
    await thread.ensure();
    const call = callStub(thread);
    return {
      product: oneAtATime(() => thread.run(call)),
      peer: oneAtATime(callStub(CONSTANT_SOURCE)),
      async close() {
        await tasks.close();
        await home.close();
      },
    };
  },
};
