import { type AgentIdentity, fixedAuth } from "@countersign/agent-identity";
import type { AgentKey, AgentSigner } from "@countersign/agent-key";
import { expectRejection } from "@countersign/testing/vitest";
import { describe, expect, it } from "vitest";
import { TaskRegistrationError } from "../src/task-registration-error.js";
import { startWorld } from "./world.js";

/** A world whose agent signs with a key outside of the process: it signs later, and can do nothing else. */
async function startSignerWorld() {
  const owner = await startWorld();
  const registered = await owner.identities.ensure();
  if (registered === undefined) throw new Error("no agent");
  const key = registered.key as AgentKey;
  const signer: AgentSigner = { publicKey: key.publicKey, sign: async (text) => key.sign(text) };
  const identity: AgentIdentity = { ...registered, key: signer };
  const { authority } = owner;
  const world = await startWorld({ authority, auth: fixedAuth({ kind: "agent", identity }) });
  return { world, authority, key };
}

describe("a signer that opens no sealed box", () => {
  it("gets its task id in clear, and asks for that with a signature of its own", async () => {
    const { world, authority } = await startSignerWorld();
    const task = await world.tasks().ensure("thread-1");
    expect(task?.taskId).toBe(authority.tasks[0]?.taskId);
    const [request] = authority.requests.filter(({ step }) => step === "register_task");
    expect(JSON.parse(String(request?.body))).toMatchObject({
      plain_task_id: true,
      signature: expect.stringMatching(/^[A-Za-z0-9+/]{86}==$/),
    });
    expect(JSON.stringify(request)).not.toContain("[object Promise]");
  });

  it("is told what to do where the authority does not know plain task ids", async () => {
    const { world, authority } = await startSignerWorld();
    authority.plainTaskIds = "unknown";
    const failure = world.tasks().ensure("thread-1");
    const error = await expectRejection(failure, TaskRegistrationError, "bad_signature");
    expect(error.hint).toContain("too old for plain task ids: update it, or give the agent a key");
    expect(authority.counts.registerTask).toBe(1);
    expect(authority.tasks).toEqual([]);
  });

  it("is told what to do where the operator refuses plain task ids", async () => {
    const { world, authority } = await startSignerWorld();
    authority.plainTaskIds = "refuse";
    const failure = world.tasks().ensure("thread-1");
    const error = await expectRejection(failure, TaskRegistrationError, "forbidden");
    expect(error.hint).toContain('plain_task_ids = "accept"');
    expect(authority.counts.registerTask).toBe(1);
  });

  it("is told what to do where the authority seals the id all the same", async () => {
    const { world, authority } = await startSignerWorld();
    authority.fault("register_task", {
      kind: "answer",
      body: { encrypted_task_id: Buffer.alloc(60).toString("base64") },
    });
    const failure = world.tasks().ensure("thread-1");
    const error = await expectRejection(failure, TaskRegistrationError, "bad_response");
    expect(error.hint).toContain("update the authority");
  });

  it("keeps the code and the hint of every other refusal", async () => {
    const { world, authority } = await startSignerWorld();
    const agent = authority.agents[0]?.agentRuntimeId ?? "";
    authority.revokeAgent(agent);
    const failure = world.tasks().ensure("thread-1");
    const error = await expectRejection(failure, TaskRegistrationError, "agent_revoked");
    expect(error.hint).not.toContain("plain task ids");
  });
});

it("a key that opens sealed boxes asks for nothing else than before", async () => {
  const world = await startWorld();
  await world.tasks().ensure("thread-1");
  const [request] = world.authority.requests.filter(({ step }) => step === "register_task");
  expect(Object.keys(JSON.parse(String(request?.body)))).toEqual(["signature", "timestamp"]);
});
