import { AgentKeyError } from "@countersign/agent-key";
import { describe, expect, test } from "vitest";
import { expectFailure, failureOf } from "../../test/expect-rejection.js";
import { AGENT_ID, AUTHORITY, agent, task } from "../../test/fixtures.js";
import { memoryDirectory } from "./memory-directory.js";

const owned = { ...task, agentRuntimeId: AGENT_ID };
const good = { authority: AUTHORITY, agents: [agent], tasks: [owned] };

describe("memoryDirectory", () => {
  test("refuses an authority that is no URL", async () => {
    const error = await failureOf(() => memoryDirectory({ ...good, authority: "authority" }));
    expect(AgentKeyError.is(error) && error.code).toBe("config_invalid");
  });

  test.each([
    { agents: [agent, agent] },
    { tasks: [owned, owned] },
    { agents: [{ ...agent, agentRuntimeId: "a/b" }] },
    { tasks: [{ ...owned, taskId: "" }] },
    { tasks: [{ ...owned, agentRuntimeId: "a:b" }] },
  ])("refuses what is no list of agents and tasks %#", async (change) => {
    await expectFailure(() => memoryDirectory({ ...good, ...change }), "config_invalid");
  });
});
