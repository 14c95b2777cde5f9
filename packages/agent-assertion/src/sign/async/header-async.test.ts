import {
  type AgentCredential,
  type AgentKey,
  AgentKeyError,
  type AgentSigner,
} from "@countersign/agent-key";
import { expectRejection, expectThrow } from "@countersign/testing/vitest";
import { describe, expect, test } from "vitest";
import { expectFailure } from "../../../test/expect-rejection.js";
import {
  AGENT_ID,
  AUTHORITY,
  header,
  key,
  membersOf,
  NOW,
  otherKey,
  TASK_ID,
} from "../../../test/fixtures.js";
import { AssertionSigner } from "../assertion-signer.js";
import { headerAsync } from "./header-async.js";

const credential: AgentCredential<AgentKey> = {
  kind: "agent",
  authority: AUTHORITY,
  agentRuntimeId: AGENT_ID,
  taskId: TASK_ID,
  key,
};

// A signer that holds its key elsewhere, and answers when it is told to.
function heldSigner() {
  const waiting: PromiseWithResolvers<Uint8Array>[] = [];
  const asked: { message: Uint8Array; signal: AbortSignal | undefined }[] = [];
  const signer: AgentSigner = {
    publicKey: key.publicKey,
    sign(message, { signal } = {}) {
      asked.push({ message, signal });
      const answer = Promise.withResolvers<Uint8Array>();
      waiting.push(answer);
      return answer.promise;
    },
  };
  const answer = () => {
    for (const [index, each] of waiting.splice(0).entries()) {
      const { message } = asked[asked.length - 1 - index] ?? expect.unreachable();
      each.resolve(key.sign(message));
    }
  };
  return { held: { ...credential, key: signer }, asked, waiting, answer };
}

describe("headerAsync", () => {
  test("header() takes no signer that may give a promise, and never writes one", () => {
    const { held, answer } = heldSigner();
    const signer = new AssertionSigner({ now: () => NOW });
    // @ts-expect-error its signature may be a promise
    const sign = () => signer.header(held);
    expectThrow(sign, AgentKeyError, "config_invalid");
    answer();
    expectThrow(sign, AgentKeyError, "config_invalid");
  });

  test("does not sign an id that may not be signed", async () => {
    const { held, asked } = heldSigner();
    const signer = new AssertionSigner({ now: () => NOW });
    await expectFailure(() => headerAsync(signer, { ...held, taskId: "a:b" }), "invalid_request");
    expect(asked).toEqual([]);
  });

  test("gives the header that an AgentKey gives, and signs at once with one", async () => {
    const { held, answer } = heldSigner();
    const signer = new AssertionSigner({ now: () => NOW });
    const made = headerAsync(signer, held);
    answer();
    expect(await made).toBe(header);
    expect(await headerAsync(new AssertionSigner({ now: () => NOW }), credential)).toBe(header);
  });

  test("asks the signer once for all calls of one second and task", async () => {
    const { held, asked, answer } = heldSigner();
    const clock = { now: NOW };
    const signer = new AssertionSigner({ now: () => clock.now });
    const both = [headerAsync(signer, held), headerAsync(signer, { ...held })];
    answer();
    expect(await Promise.all(both)).toEqual([header, header]);
    expect(await headerAsync(signer, held)).toBe(header);
    expect(asked).toHaveLength(1);
    clock.now = NOW + 1000;
    const next = headerAsync(signer, held);
    answer();
    expect(await next).not.toBe(header);
    expect(asked).toHaveLength(2);
  });

  test("never shares a signature between tasks, agents or authorities", async () => {
    const { held, asked, answer } = heldSigner();
    const signer = new AssertionSigner({ now: () => NOW });
    const others = [
      held,
      { ...held, taskId: "task-2" },
      { ...held, agentRuntimeId: "agent-2" },
      { ...held, authority: "https://other.example" },
    ];
    for (const other of others) {
      const made = headerAsync(signer, other);
      answer();
      expect(membersOf(await made)).toMatchObject({
        task_id: other.taskId,
        agent_runtime_id: other.agentRuntimeId,
      });
    }
    expect(asked).toHaveLength(4);
  });

  test("asks again after a failure", async () => {
    const { held, waiting, answer } = heldSigner();
    const signer = new AssertionSigner({ now: () => NOW });
    const failed = headerAsync(signer, held);
    for (const each of waiting.splice(0)) each.reject(new Error("locked"));
    await expectRejection(failed, AgentKeyError, "signer_failed");
    const made = headerAsync(signer, held);
    answer();
    expect(await made).toBe(header);
  });

  test("gives up a signer that hangs", async () => {
    const { held, asked } = heldSigner();
    const signer = new AssertionSigner({ now: () => NOW });
    await expectRejection(
      headerAsync(signer, held, { deadlineMs: 1 }),
      AgentKeyError,
      "signer_failed",
    );
    expect(asked.map(({ signal }) => signal?.aborted)).toEqual([true]);
  });

  test("ends one caller's wait by its signal, and the signature with the last of them", async () => {
    const { held, asked } = heldSigner();
    const signer = new AssertionSigner({ now: () => NOW });
    const ends = [new AbortController(), new AbortController()];
    const calls = ends.map(({ signal }) => headerAsync(signer, held, { signal }));
    ends[0]?.abort(new Error("first"));
    await expect(calls[0]).rejects.toThrow("first");
    expect(asked.map(({ signal }) => signal?.aborted)).toEqual([false]);
    ends[1]?.abort(new Error("second"));
    await expect(calls[1]).rejects.toThrow("second");
    expect(asked.map(({ signal }) => signal?.aborted)).toEqual([true]);
  });

  test("never gives the header of a key that is not the signer's", async () => {
    const signer = new AssertionSigner({ now: () => NOW });
    const liar: AgentSigner = {
      publicKey: key.publicKey,
      sign: async (message) => otherKey.sign(message),
    };
    const signing = headerAsync(signer, { ...credential, key: liar });
    await expectRejection(signing, AgentKeyError, "invalid_key");
  });

  test("gives the header of a signer that takes longer than a second", async () => {
    const { held, answer } = heldSigner();
    const clock = { now: NOW };
    const signer = new AssertionSigner({ now: () => clock.now });
    const made = headerAsync(signer, held);
    clock.now = NOW + 1000;
    answer();
    expect(await made).toBe(header);
    expect(membersOf(signer.header(credential)).timestamp).toBe("2026-04-15T17:08:10Z");
  });
});
