import type { AgentPublicKey } from "@countersign/agent-key";
import { propertyRuns } from "@countersign/testing/effort";
import fc from "fast-check";
import { describe, expect, test, vi } from "vitest";
import { expectFailure, expectRejection, failureOf } from "../../test/expect-rejection.js";
import {
  AGENT_ID,
  AUTHORITY,
  agent,
  fieldOf,
  header,
  key,
  membersOf,
  NOW,
  otherKey,
  TASK_ID,
  TIMESTAMP,
  task,
} from "../../test/fixtures.js";
import type {
  AgentDirectory,
  AgentLookupOptions,
  AgentRecord,
  TaskRecord,
} from "../directory/agent-directory.js";
import { signAssertion } from "../sign/sign-assertion.js";
import { AssertionRejected } from "./assertion-rejected.js";
import { type CreateVerifierOptions, createVerifier } from "./create-verifier.js";
import { parseAssertion } from "./parse-assertion.js";

vi.mock(import("./parse-assertion.js"), { spy: true });

// A directory whose facts a test may change, and that counts what it is asked.
class ScriptedDirectory implements AgentDirectory {
  readonly authority = AUTHORITY;
  readonly asked: string[] = [];
  agentRecord: AgentRecord | undefined = agent;
  taskRecord: TaskRecord | undefined = task;

  async agent(agentRuntimeId: string, _?: AgentLookupOptions): Promise<AgentRecord | undefined> {
    this.asked.push(agentRuntimeId);
    return this.agentRecord;
  }

  async task(agentRuntimeId: string, taskId: string): Promise<TaskRecord | undefined> {
    this.asked.push(`${agentRuntimeId}/${taskId}`);
    return this.taskRecord;
  }
}

function setUp(options: Partial<CreateVerifierOptions> = {}) {
  const directory = new ScriptedDirectory();
  const clock = { now: NOW };
  const verifier = createVerifier({ directory, now: () => clock.now, ...options });
  return { directory, clock, verifier };
}

const badSignature = fieldOf(
  JSON.stringify({ ...membersOf(header), signature: otherKey.signText("x") }),
);

// The same key, counting how often a signature is really checked.
function countedKey(): { publicKey: AgentPublicKey; verify: ReturnType<typeof vi.fn> } {
  const verify = vi.fn((message: string | Uint8Array, signature: Uint8Array) =>
    key.publicKey.verify(message, signature),
  );
  const publicKey = Object.create(key.publicKey, {
    verify: { value: verify },
    line: { value: key.publicKey.line },
  });
  return { publicKey, verify };
}

describe("createVerifier", () => {
  test.each([-1, 3601, Number.NaN, Number.POSITIVE_INFINITY])(
    "refuses a skew of %d s",
    async (maxSkewSeconds) => {
      await expectFailure(() => setUp({ maxSkewSeconds }), "config_invalid");
    },
  );

  test("asks the directory nothing about an assertion that is malformed or out of time", async () => {
    const { directory, clock, verifier } = setUp();
    await expectRejection(() => verifier.verify("AgentAssertion x"), "malformed");
    clock.now = NOW + 301_000;
    await expectRejection(() => verifier.verify(header), "expired");
    clock.now = NOW - 301_000;
    await expectRejection(() => verifier.verify(header), "not_yet_valid");
    expect(directory.asked).toEqual([]);
  });

  test("looks the task up only after the signature held and the agent is live (G-K11)", async () => {
    const { directory, verifier } = setUp();
    await expectRejection(() => verifier.verify(badSignature), "bad_signature");
    directory.agentRecord = undefined;
    await expectRejection(() => verifier.verify(header), "unknown_agent");
    directory.agentRecord = { ...agent, state: "revoked" };
    await expectRejection(() => verifier.verify(header), "agent_revoked");
    // The first of them twice: the key might have been rotated.
    expect(directory.asked).toEqual([AGENT_ID, AGENT_ID, AGENT_ID, AGENT_ID]);
    directory.agentRecord = agent;
    await verifier.verify(header);
    expect(directory.asked.slice(4)).toEqual([AGENT_ID, `${AGENT_ID}/${TASK_ID}`]);
  });

  test("asks for a newer record than the one under whose keys a signature does not hold, once", async () => {
    const { directory, verifier } = setUp();
    const rotated = { ...agent, publicKeys: [otherKey.publicKey] };
    const records: (AgentRecord | undefined)[] = [rotated, agent];
    const insteadOf: unknown[] = [];
    directory.agent = async (_, options: AgentLookupOptions = {}) => {
      insteadOf.push(options.insteadOf);
      return records.shift();
    };
    expect(await verifier.verify(header)).toMatchObject({ agentRuntimeId: AGENT_ID });
    expect(insteadOf).toEqual([undefined, rotated]);
    records.push(rotated, rotated, agent);
    await expectRejection(() => verifier.verify(header), "bad_signature");
    records.splice(0, 3, rotated, { ...rotated }, agent);
    await expectRejection(() => verifier.verify(header), "bad_signature");
    records.splice(0, 3, rotated, undefined);
    await expectRejection(() => verifier.verify(header), "unknown_agent");
    records.splice(0, 3, rotated, { ...agent, state: "revoked" });
    await expectRejection(() => verifier.verify(header), "agent_revoked");
  });

  test("applies its policy", async () => {
    const { verifier } = setUp({ policy: { accounts: ["acct-2"] } });
    await expectRejection(() => verifier.verify(header), "forbidden");
  });

  test("checks a signature once, and everything else each time (G-K10)", async () => {
    const { directory, clock, verifier } = setUp();
    const { publicKey, verify } = countedKey();
    directory.agentRecord = { ...agent, publicKeys: [publicKey] };
    await verifier.verify(header);
    await verifier.verify(header);
    expect(verify).toHaveBeenCalledTimes(1);
    directory.taskRecord = { ...task, state: "revoked" };
    await expectRejection(() => verifier.verify(header), "task_revoked");
    directory.agentRecord = { ...agent, publicKeys: [publicKey], state: "revoked" };
    await expectRejection(() => verifier.verify(header), "agent_revoked");
    clock.now = NOW + 301_000;
    await expectRejection(() => verifier.verify(header), "expired");
    expect(verify).toHaveBeenCalledTimes(1);
  });

  test("reads a field once, alone or in a list, and each time while its signature does not hold", async () => {
    const { directory, verifier } = setUp();
    vi.mocked(parseAssertion).mockClear();
    await expectRejection(() => verifier.verify(badSignature), "bad_signature");
    await expectRejection(() => verifier.verify(badSignature), "bad_signature");
    expect(parseAssertion).toHaveBeenCalledTimes(2);
    const first = await verifier.verify(header);
    expect(await verifier.verify(header)).toEqual(first);
    expect(await verifier.verify([header])).toEqual(first);
    expect(parseAssertion).toHaveBeenCalledTimes(3);
    await expectRejection(() => verifier.verify([header, header]), "malformed");
    await expectRejection(() => verifier.verify(`${header} `), "malformed");
    expect(parseAssertion).toHaveBeenCalledTimes(5);
    directory.agentRecord = { ...agent, publicKeys: [otherKey.publicKey] };
    await expectRejection(() => verifier.verify(header), "bad_signature");
  });

  test("does not take a remembered signature for one of another key", async () => {
    const { directory, verifier } = setUp();
    await verifier.verify(header);
    directory.agentRecord = { ...agent, publicKeys: [otherKey.publicKey] };
    await expectRejection(() => verifier.verify(header), "bad_signature");
  });

  test("checks the same members in another envelope again", async () => {
    const { directory, verifier } = setUp();
    const { publicKey, verify } = countedKey();
    directory.agentRecord = { ...agent, publicKeys: [publicKey] };
    await verifier.verify(header);
    await verifier.verify(fieldOf(`${JSON.stringify(membersOf(header))} `));
    expect(verify).toHaveBeenCalledTimes(2);
  });

  test("does not remember that a signature did not hold", async () => {
    const { directory, verifier } = setUp();
    directory.agentRecord = { ...agent, publicKeys: [otherKey.publicKey] };
    await expectRejection(() => verifier.verify(header), "bad_signature");
    directory.agentRecord = agent;
    await verifier.verify(header);
  });

  test("passes on the error of a directory that cannot tell, and the caller's signal", async () => {
    const directory = new ScriptedDirectory();
    const failure = new Error("down");
    const signals: (AbortSignal | undefined)[] = [];
    const verifier = createVerifier({ directory, now: () => NOW });
    // A first lookup is not the caller's alone to end.
    await verifier.verify(header);
    directory.agent = async (_: string, options?: { signal?: AbortSignal | undefined }) => {
      signals.push(options?.signal);
      throw failure;
    };
    const { signal } = new AbortController();
    expect(await failureOf(() => verifier.verify(header, { signal }))).toBe(failure);
    expect(signals).toEqual([signal]);
  });

  test("names the caller once the signature held and before the task is looked up", async () => {
    const { directory, verifier } = setUp();
    const told: unknown[] = [];
    const onProven = (caller: unknown) => told.push(caller, [...directory.asked]);
    await expectRejection(() => verifier.verify(badSignature, { onProven }), "bad_signature");
    directory.agentRecord = { ...agent, state: "revoked" };
    await expectRejection(() => verifier.verify(header, { onProven }), "agent_revoked");
    expect(told).toEqual([]);
    directory.agentRecord = agent;
    directory.asked.length = 0;
    await verifier.verify(header, { onProven });
    const ids = { agentRuntimeId: AGENT_ID, taskId: TASK_ID };
    expect(told).toEqual([{ ...ids, accountId: "acct-1", userId: "user-1" }, [AGENT_ID]]);
    const refusal = new Error("no place");
    const refuse = () => {
      throw refusal;
    };
    expect(await failureOf(() => verifier.verify(header, { onProven: refuse }))).toBe(refusal);
  });

  test("gives an account that invents tasks its share of lookups, and known tasks need none (G-G14)", async () => {
    const { directory, verifier } = setUp({ lookups: { maxRunning: 2, maxWaiting: 4 } });
    await verifier.verify(header);
    const { promise, resolve } = Promise.withResolvers<undefined>();
    const asked: string[] = [];
    directory.task = async (_agentRuntimeId, taskId) => {
      asked.push(taskId);
      const isInvented = taskId.startsWith("invented");
      return isInvented ? promise : { taskId, state: "active" };
    };
    const assertionOf = (taskId: string, agentRuntimeId = AGENT_ID) =>
      signAssertion({ agentRuntimeId, taskId, key, timestamp: TIMESTAMP });
    const invented = ["invented-1", "invented-2", "invented-3"].map((taskId) =>
      failureOf(() => verifier.verify(assertionOf(taskId))),
    );
    const more = await failureOf(() => verifier.verify(assertionOf("invented-4")));
    expect(more).toMatchObject({ code: "rate_limited", limit: "lookups_by_source" });
    await verifier.verify(header);
    directory.agentRecord = { ...agent, agentRuntimeId: "agent-2", accountId: "acct-2" };
    await verifier.verify(assertionOf("task-2", "agent-2"));
    expect(asked).toEqual(["invented-1", TASK_ID, "task-2"]);
    resolve(undefined);
    for (const error of await Promise.all(invented))
      expect(error).toMatchObject({ code: "unknown_task" });
  });

  test("names its authority", async () => {
    const { verifier } = setUp();
    expect(verifier.authority).toBe(AUTHORITY);
    expect((await verifier.verify(header)).authority).toBe(AUTHORITY);
  });

  test("rejects every field with one bit flipped (G-K9)", async () => {
    // Of the scheme's letters one bit is their case, which does not count (RFC 9110 §11.1).
    const scheme = "AgentAssertion".length;
    const { verifier } = setUp();
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 0, max: header.length - 1 }),
        fc.integer({ min: 0, max: 7 }),
        async (at, bit) => {
          fc.pre(!(at < scheme && bit === 5));
          const bytes = Buffer.from(header, "latin1");
          bytes[at] = (bytes[at] ?? 0) ^ (1 << bit);
          const error = await failureOf(() => verifier.verify(bytes.toString("latin1")));
          expect(AssertionRejected.is(error)).toBe(true);
        },
      ),
      { numRuns: propertyRuns(1000) },
    );
  });
});

describe("recheck", () => {
  test.each([
    ["unknown_agent", { agentRecord: undefined }],
    ["agent_revoked", { agentRecord: { ...agent, state: "revoked" } }],
    ["agent_expired", { agentRecord: { ...agent, expiresAt: NOW } }],
    ["unknown_task", { taskRecord: undefined }],
    ["task_revoked", { taskRecord: { ...task, state: "revoked" } }],
    ["task_expired", { taskRecord: { ...task, state: "expired" } }],
    ["forbidden", { agentRecord: { ...agent, accountId: "acct-2" } }],
  ])("ends with %s what is not allowed any more", async (code, change) => {
    const { directory, verifier } = setUp({ policy: { accounts: ["acct-1"] } });
    const verified = await verifier.verify(header);
    Object.assign(directory, change);
    await expectRejection(() => verifier.recheck(verified), code);
  });

  test("keeps what is live, long after the assertion's time", async () => {
    const { clock, verifier } = setUp();
    const verified = await verifier.verify(header);
    clock.now = NOW + 3_600_000;
    await verifier.recheck(verified);
    await expectRejection(() => verifier.verify(header), "expired");
  });
});
