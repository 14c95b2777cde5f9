import { once } from "node:events";
import { describe, expect, test } from "vitest";
import {
  AgentAssertionError,
  type AssertionHooks,
  createVerifier,
  type RefusedAssertion,
  type VerifiedAssertion,
} from "../../src/index.js";
import { AGENT_ID, agent, header, NOW, TASK_ID } from "../fixtures.js";
import { frameworks } from "./frameworks.js";
import { assertionOf, SceneDirectory, verifierOf } from "./scene.js";

const good = `Authorization: ${header}`;
const revoked = `Authorization: ${assertionOf("task-revoked")}`;
const claimed = { agentRuntimeId: AGENT_ID, taskId: "task-revoked" };
const proven = { ...claimed, accountId: agent.accountId, userId: agent.userId };

function recorder() {
  const calls: [string, VerifiedAssertion | RefusedAssertion, ...object[]][] = [];
  const hooks = {
    onVerified: (...args: [VerifiedAssertion, ...object[]]) =>
      void calls.push(["verified", ...args]),
    onRefused: (...args: [RefusedAssertion, ...object[]]) => void calls.push(["refused", ...args]),
  };
  return { calls, hooks };
}

describe.each(frameworks)("the hooks of $name", ({ start }) => {
  test("get the code, the claimed and the proven caller of each refusal, and no header (G-M11)", async () => {
    const directory = new SceneDirectory();
    const { calls, hooks } = recorder();
    const site = await start({ verifier: verifierOf(directory), ...hooks });
    await site.exchange({ lines: [] });
    await site.exchange({ lines: [good, good] });
    await site.exchange({ lines: [revoked] });
    directory.failure = new AgentAssertionError("unreachable", "no connection");
    await site.exchange({ lines: [good] });
    directory.failure = new Error("no code");
    await site.exchange({ lines: [good] });
    const none = { claimed: undefined, proven: undefined };
    expect(calls.map(([name, what]) => [name, what])).toEqual([
      ["refused", { code: "missing", ...none }],
      ["refused", { code: "malformed", ...none }],
      ["refused", { code: "task_revoked", claimed, proven }],
      ["refused", { code: "unreachable", ...none }],
      ["refused", { code: "server_error", ...none }],
    ]);
    for (const [, , request] of calls) expect(request).toBeInstanceOf(Object);
    expect(JSON.stringify(calls.map(([, what]) => what))).not.toContain("AgentAssertion ");
  });

  test("get the caller of each accepted request, and neither of one that passes without (G-M11)", async () => {
    const { calls, hooks } = recorder();
    const verifier = verifierOf(new SceneDirectory());
    const site = await start({ verifier, onMissing: "pass", ...hooks });
    expect((await site.exchange({ lines: [good] })).status).toBe(200);
    expect((await site.exchange({ lines: [] })).status).toBe(200);
    expect(calls).toHaveLength(1);
    expect(calls[0]?.slice(0, 2)).toEqual([
      "verified",
      expect.objectContaining({ agentRuntimeId: AGENT_ID, taskId: TASK_ID }),
    ]);
  });

  test("change no answer when they throw or reject (G-M11)", async () => {
    const warned = once(process, "warning");
    const fail = () => {
      throw new Error("a hook's own fault");
    };
    const reject = (async () => fail()) as () => void;
    const site = await start({
      verifier: verifierOf(new SceneDirectory()),
      onVerified: reject,
      onRefused: fail,
    });
    const accepted = await site.exchange({ lines: [good] });
    expect([accepted.status, JSON.parse(accepted.body).agent]).toEqual([200, AGENT_ID]);
    const refused = await site.exchange({ lines: [revoked] });
    expect([refused.status, JSON.parse(refused.body).code]).toEqual([401, "task_revoked"]);
    expect((await warned)[0].message).toBe("a hook's own fault");
  });
});

describe("the hooks of a verifier", () => {
  function verifierWith(hooks: AssertionHooks) {
    return createVerifier({ directory: new SceneDirectory(), now: () => NOW, ...hooks });
  }

  test("are called for each check and for a recheck that refuses, and change no result when they throw (G-M11)", async () => {
    const { calls, hooks } = recorder();
    const verifier = verifierWith(hooks);
    await expect(verifier.verify(undefined)).rejects.toMatchObject({ code: "missing" });
    await expect(verifier.verify(assertionOf("task-revoked"))).rejects.toMatchObject({
      code: "task_revoked",
    });
    const caller = await verifier.verify(header);
    await verifier.recheck(caller);
    const other = { ...caller, taskId: "task-revoked" };
    await expect(verifier.recheck(other)).rejects.toMatchObject({ code: "task_revoked" });
    const none = { claimed: undefined, proven: undefined };
    expect(calls).toEqual([
      ["refused", { code: "missing", ...none }],
      ["refused", { code: "task_revoked", claimed, proven }],
      ["verified", caller],
      ["refused", { code: "task_revoked", claimed, proven }],
    ]);

    const warned = once(process, "warning");
    const fail = () => {
      throw new Error("a hook's own fault");
    };
    const faulty = verifierWith({ onVerified: fail, onRefused: fail });
    expect(await faulty.verify(header)).toEqual(caller);
    await expect(faulty.verify(undefined)).rejects.toMatchObject({ code: "missing" });
    expect((await warned)[0].message).toBe("a hook's own fault");
  });
});
