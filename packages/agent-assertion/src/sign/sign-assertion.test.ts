import { describe, expect, test } from "vitest";
import { expectFailure } from "../../test/expect-rejection.js";
import { AGENT_ID, header, key, TASK_ID, TIMESTAMP } from "../../test/fixtures.js";
import { signAssertion } from "./sign-assertion.js";

const good = { agentRuntimeId: AGENT_ID, taskId: TASK_ID, key, timestamp: TIMESTAMP };

describe("signAssertion", () => {
  test.each([
    { agentRuntimeId: "agent:1" },
    { agentRuntimeId: "" },
    { taskId: "task\n1" },
    { taskId: ".." },
    { timestamp: "2026-04-15T17:08:09.000Z" },
    { timestamp: "2026-02-30T00:00:00Z" },
    { timestamp: "" },
  ])("does not sign %j", async (change) => {
    await expectFailure(() => signAssertion({ ...good, ...change }), "invalid_request");
  });

  test("gives the same bytes for the same input", () => {
    expect(signAssertion(good)).toBe(header);
  });
});
