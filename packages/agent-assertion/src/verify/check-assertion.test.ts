import { describe, expect, test } from "vitest";
import { expectRejection } from "../../test/expect-rejection.js";
import {
  AGENT_ID,
  AUTHORITY,
  agent,
  header,
  key,
  NOW,
  otherKey,
  TASK_ID,
  task,
} from "../../test/fixtures.js";
import type { AgentRecord, TaskRecord } from "../directory/agent-directory.js";
import { type CheckAssertionOptions, checkAssertion } from "./check-assertion.js";
import { parseAssertion } from "./parse-assertion.js";

interface Change {
  readonly agent?: Partial<AgentRecord> | undefined;
  readonly task?: Partial<TaskRecord> | undefined;
  readonly options?: Partial<CheckAssertionOptions> | undefined;
}

const parsed = parseAssertion(header);

// Everything is good but for the change.
function check(change: Change = {}, assertion = parsed) {
  const facts = {
    authority: AUTHORITY,
    agent: { ...agent, ...change.agent },
    task: { ...task, ...change.task },
  };
  return checkAssertion(assertion, facts, { now: NOW, ...change.options });
}

const noSignature = { ...parsed, signature: new Uint8Array(64) };
const seconds = (count: number) => ({ options: { now: NOW + count * 1000 } });

describe("checkAssertion", () => {
  test.each([
    ["2: a second past the skew", "expired", seconds(301)],
    ["2: a millisecond past the skew", "expired", { options: { now: NOW + 300_001 } }],
    ["2: a second more than the skew ahead", "not_yet_valid", seconds(-301)],
    [
      "2: past a skew that was given",
      "expired",
      { options: { now: NOW + 11_000, maxSkewSeconds: 10 } },
    ],
    [
      "2: ahead of a skew that was given",
      "not_yet_valid",
      { options: { now: NOW - 11_000, maxSkewSeconds: 10 } },
    ],
    ["2: a clock that is no number", "expired", { options: { now: Number.NaN } }],
    ["2: a skew that is no number", "expired", { options: { maxSkewSeconds: Number.NaN } }],
    ["3: another agent's record", "unknown_agent", { agent: { agentRuntimeId: "agent-2" } }],
    ["4: another key", "bad_signature", { agent: { publicKeys: [otherKey.publicKey] } }],
    ["4: no key", "bad_signature", { agent: { publicKeys: [] } }],
    ["5: a revoked agent", "agent_revoked", { agent: { state: "revoked" } }],
    [
      "5: a revoked agent that is expired too",
      "agent_revoked",
      { agent: { state: "revoked", expiresAt: 0 } },
    ],
    ["5: an expired agent", "agent_expired", { agent: { state: "expired" } }],
    ["5: an agent whose end has come", "agent_expired", { agent: { expiresAt: NOW } }],
    ["5: an agent whose end is no number", "agent_expired", { agent: { expiresAt: Number.NaN } }],
    ["5: an agent in an unknown state", "agent_expired", { agent: { state: "paused" as never } }],
    ["6: another task's record", "unknown_task", { task: { taskId: "task-2" } }],
    ["6: a revoked task", "task_revoked", { task: { state: "revoked" } }],
    ["6: an expired task", "task_expired", { task: { state: "expired" } }],
    ["6: a task whose end has come", "task_expired", { task: { expiresAt: NOW } }],
    [
      "7: an account that is not served",
      "forbidden",
      { options: { policy: { accounts: ["acct-2"] } } },
    ],
    ["7: no account served", "forbidden", { options: { policy: { accounts: [] } } }],
    [
      "7: a capability that was not granted",
      "forbidden",
      { options: { policy: { capability: "admin" } } },
    ],
  ] satisfies readonly (readonly [string, string, Change])[])(
    "rejects by check %s",
    async (_, code, change) => {
      await expectRejection(() => check(change), code);
    },
  );

  test("rejects by check 3 an agent that the authority does not know", async () => {
    await expectRejection(
      () => checkAssertion(parsed, { authority: AUTHORITY, task }, { now: NOW }),
      "unknown_agent",
    );
  });

  test("rejects by check 6 a task that the authority does not know", async () => {
    await expectRejection(
      () => checkAssertion(parsed, { authority: AUTHORITY, agent }, { now: NOW }),
      "unknown_task",
    );
  });

  test.each([
    ["agentRuntimeId", { agentRuntimeId: "agent-2" }, { agent: { agentRuntimeId: "agent-2" } }],
    ["taskId", { taskId: "task-2" }, { task: { taskId: "task-2" } }],
    ["timestamp", { timestamp: "2026-04-15T17:08:10Z" }, {}],
    ["signature", { signature: new Uint8Array(64) }, {}],
    ["signature's length", { signature: parsed.signature.subarray(0, 63) }, {}],
  ])("rejects by check 4 a changed %s", async (_, changed, change) => {
    await expectRejection(() => check(change, { ...parsed, ...changed }), "bad_signature");
  });

  test.each([
    [
      "2 before 3",
      "expired",
      () => checkAssertion(parsed, { authority: AUTHORITY }, { now: NOW + 301_000 }),
    ],
    [
      "3 before 4",
      "unknown_agent",
      () => checkAssertion(noSignature, { authority: AUTHORITY }, { now: NOW }),
    ],
    ["4 before 5", "bad_signature", () => check({ agent: { state: "revoked" } }, noSignature)],
    ["4 before 6", "bad_signature", () => check({ task: { state: "revoked" } }, noSignature)],
    [
      "4 before 7",
      "bad_signature",
      () => check({ options: { policy: { accounts: [] } } }, noSignature),
    ],
    [
      "5 before 6",
      "agent_revoked",
      () => check({ agent: { state: "revoked" }, task: { state: "revoked" } }),
    ],
    [
      "6 before 7",
      "task_revoked",
      () => check({ task: { state: "revoked" }, options: { policy: { accounts: [] } } }),
    ],
  ])("keeps the order: %s (G-K11)", async (_, code, run) => {
    await expectRejection(run, code);
  });

  test("names the caller as claimed before the signature held, and as proven after (G-K12)", async () => {
    const claimed = { agentRuntimeId: AGENT_ID, taskId: TASK_ID };
    const before = await expectRejection(() => check({}, noSignature), "bad_signature");
    expect(before.claimed).toEqual(claimed);
    expect(before.proven).toBeUndefined();
    const after = await expectRejection(
      () => check({ task: { state: "revoked" } }),
      "task_revoked",
    );
    expect(after.proven).toEqual({ ...claimed, accountId: "acct-1", userId: "user-1" });
  });

  test.each([-300, -1, 0, 1, 300])(
    "accepts at %i s, both ends of the skew included (G-K10)",
    (offset) => {
      expect(check(seconds(offset)).skewSeconds).toBe(0 - offset);
    },
  );

  test("accepts under either key while keys are rotated", () => {
    check({ agent: { publicKeys: [otherKey.publicKey, key.publicKey] } });
    check({ agent: { publicKeys: [key.publicKey, otherKey.publicKey] } });
  });

  test("says who it is and what was checked", () => {
    const policy = { accounts: ["acct-2", "acct-1"], capability: "responses" };
    const until = { expiresAt: NOW + 1 };
    expect(check({ agent: until, task: until, options: { policy } })).toEqual({
      authority: AUTHORITY,
      agentRuntimeId: AGENT_ID,
      taskId: TASK_ID,
      accountId: "acct-1",
      userId: "user-1",
      capabilities: ["responses"],
      issuedAt: NOW,
      skewSeconds: 0,
      covered: [],
    });
  });
});
