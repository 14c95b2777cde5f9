import { type AgentCredential, AgentKey } from "@countersign/agent-key";
import { describe, expect, test, vi } from "vitest";
import { expectFailure } from "../../test/expect-rejection.js";
import {
  AGENT_ID,
  AUTHORITY,
  header,
  key,
  membersOf,
  NOW,
  otherKey,
  TASK_ID,
} from "../../test/fixtures.js";
import { AssertionSigner } from "./assertion-signer.js";

const credential: AgentCredential<AgentKey> = {
  kind: "agent",
  authority: AUTHORITY,
  agentRuntimeId: AGENT_ID,
  taskId: TASK_ID,
  key,
};

// A key of its own for each test, so that its signatures can be counted.
function countedCredential() {
  const own = AgentKey.importPkcs8(key.exportPkcs8());
  const signText = vi.spyOn(own, "signText");
  return { counted: { ...credential, key: own }, signText };
}

describe("AssertionSigner", () => {
  test.each([0, -1, 1.5, Number.NaN])("refuses to keep %d headers", async (maxEntries) => {
    await expectFailure(() => new AssertionSigner({ maxEntries }), "config_invalid");
  });

  test("does not sign an id that may not be signed", async () => {
    const signer = new AssertionSigner({ now: () => NOW });
    await expectFailure(() => signer.header({ ...credential, taskId: "a:b" }), "invalid_request");
  });

  test("signs with the second of its clock", () => {
    const signer = new AssertionSigner({ now: () => NOW + 999 });
    expect(signer.header(credential)).toBe(header);
  });

  test("signs once a second for a task", () => {
    const { counted, signText } = countedCredential();
    const clock = { now: NOW };
    const signer = new AssertionSigner({ now: () => clock.now });
    const first = signer.header(counted);
    clock.now = NOW + 999;
    expect(signer.header({ ...counted })).toBe(first);
    expect(signText).toHaveBeenCalledTimes(1);
    clock.now = NOW + 1000;
    expect(signer.header(counted)).not.toBe(first);
    expect(signText).toHaveBeenCalledTimes(2);
    // A clock that was set back is believed.
    clock.now = NOW;
    expect(signer.header(counted)).toBe(first);
  });

  test("adds the offset of the authority's clock", () => {
    const signer = new AssertionSigner({ now: () => NOW });
    const shifted = signer.header({ ...credential, clockOffsetSeconds: -61.5 });
    expect(membersOf(shifted).timestamp).toBe("2026-04-15T17:07:07Z");
    expect(signer.header(credential)).toBe(header);
  });

  test("never gives one task's header to another of equal ids", () => {
    const signer = new AssertionSigner({ now: () => NOW });
    const first = signer.header(credential);
    const foreign = { ...credential, authority: "https://other.example", key: otherKey };
    expect(signer.header(foreign)).not.toBe(first);
    expect(signer.header({ ...credential, key: otherKey })).not.toBe(first);
    expect(signer.header({ ...credential, taskId: "task-2" })).not.toBe(first);
    expect(signer.header({ ...credential, agentRuntimeId: "agent-2" })).not.toBe(first);
    expect(signer.header(credential)).toBe(first);
  });

  test("keeps headers of equal keys and ids apart by authority (G-I1)", () => {
    const { counted, signText } = countedCredential();
    const signer = new AssertionSigner({ now: () => NOW });
    signer.header(counted);
    signer.header({ ...counted, authority: "https://other.example" });
    expect(signText).toHaveBeenCalledTimes(2);
  });

  test("keeps no more headers than it may", () => {
    const { counted, signText } = countedCredential();
    const signer = new AssertionSigner({ now: () => NOW, maxEntries: 2 });
    for (const taskId of ["task-1", "task-2", "task-3", "task-3", "task-2", "task-1"]) {
      signer.header({ ...counted, taskId });
    }
    expect(signText).toHaveBeenCalledTimes(4);
  });
});
