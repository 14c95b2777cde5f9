import { AuthorityError } from "@countersign/agent-identity";
import type { AgentCredential, Credential } from "@countersign/agent-key";
import { headerOf } from "@countersign/testing";
import { expectRejection } from "@countersign/testing/vitest";
import { describe, expect, it } from "vitest";
import { RUN } from "../src/agent-task.js";
import { TaskRegistrationError } from "../src/task-registration-error.js";
import { gate, refusal, startWorld, type World } from "./world.js";

const origin = "https://api.example";

function expectAgent(credential: Credential | undefined): AgentCredential {
  if (credential?.kind !== "agent") throw new Error("not the agent's credential");
  return credential;
}

/** Rotates at the authority alone: the answer is lost each time. */
async function cutOff(world: World, compromised = false): Promise<void> {
  world.authority.fault("rotate_key", { kind: "lose" }, 3);
  await expectRejection(world.identities.rotate({ compromised }), AuthorityError, "unreachable");
  world.sent();
}

const newestOf = (world: World) => world.authority.agents[0]?.publicKey;

describe("after a rotation", () => {
  it("every task is continued with the new key, without a request", async () => {
    const world = await startWorld();
    const tasks = world.tasks({ store: world.store });
    const before = [await tasks.ensure("thread-1"), await tasks.ensure(RUN)];
    await world.identities.rotate();
    world.sent();
    const after = [await tasks.ensure("thread-1"), await tasks.ensure(RUN)];
    expect(after.map((task) => task?.taskId)).toEqual(before.map((task) => task?.taskId));
    for (const task of after) expect(task?.key.publicKey.line).toBe(newestOf(world));
    const resumed = await world.tasks({ store: world.store }).ensure("thread-1");
    expect(resumed).toMatchObject({ taskId: before[0]?.taskId, key: after[0]?.key });
    expect(world.sent()).toBe(0);
  });

  it("a thread that has lost its state gets another task, and that registration ends the former key", async () => {
    const world = await startWorld();
    const before = await world.tasks().ensure("thread-1");
    await world.identities.rotate();
    const after = await world.tasks().ensure("thread-1");
    expect(after?.taskId).not.toBe(before?.taskId);
    const keys = world.authority.requests.map((request) => headerOf(request, "idempotency-key"));
    expect(new Set(keys.filter((key) => key !== undefined)).size).toBe(2);
    expect(world.authority.agents[0]).toMatchObject({
      formerKeys: [],
      endedKeys: [before?.key.publicKey.line],
    });
  });

  it("a credential of before is replaced by one of the same task where its signature is refused", async () => {
    const world = await startWorld();
    const thread = world.tasks().thread("thread-1");
    const before = expectAgent(await thread.credential());
    await world.identities.rotate();
    world.sent();
    const refused = { code: "bad_signature", origin } as const;
    const after = expectAgent(await thread.refused(before, refused));
    expect(after.taskId).toBe(before.taskId);
    expect(after.key.publicKey.line).toBe(newestOf(world));
    // There is nothing left to find out.
    expect(await thread.refused(after, refused)).toBeUndefined();
    expect(world.sent()).toBe(0);
  });
});

describe("a rotation that was cut off", () => {
  it("is nothing that threads notice as long as the former key is valid", async () => {
    const world = await startWorld();
    const tasks = world.tasks();
    const before = await tasks.ensure("thread-1");
    await cutOff(world);
    expect(await tasks.ensure("thread-1")).toBe(before);
    expect((await tasks.ensure("thread-2"))?.key).toBe(before?.key);
    expect(world.sent()).toBe(1);
  });

  it("is finished by the first registration that the authority refuses for its signature", async () => {
    const world = await startWorld();
    const tasks = world.tasks();
    await tasks.ensure("thread-1");
    await cutOff(world, true);
    const scopes = ["thread-2", "thread-3", "thread-4"];
    const all = await Promise.all(scopes.map((scope) => tasks.ensure(scope)));
    for (const task of all) expect(task?.key.publicKey.line).toBe(newestOf(world));
    expect(world.authority.counts).toMatchObject({ registerAgent: 1 });
    expect(world.authority.agents[0]?.endedKeys).toHaveLength(1);
  });

  it("is finished by the first request that a resource server refuses for its signature", async () => {
    const world = await startWorld();
    const thread = world.tasks().thread("thread-1");
    const before = expectAgent(await thread.credential());
    await cutOff(world, true);
    const after = expectAgent(await thread.refused(before, { code: "bad_signature", origin }));
    expect(world.sent()).toBe(1);
    expect(after).toMatchObject({ taskId: before.taskId });
    expect(after.key.publicKey.line).toBe(newestOf(world));
  });

  it("fails the turn with the authority's word where it refuses to finish it", async () => {
    const world = await startWorld();
    const tasks = world.tasks();
    const thread = tasks.thread("thread-1");
    const before = expectAgent(await thread.credential());
    await cutOff(world, true);
    world.authority.fault("rotate_key", refusal(401, "unauthenticated"), 2);
    const refused = thread.refused(before, { code: "bad_signature", origin });
    await expectRejection(refused, TaskRegistrationError, "unauthenticated");
    const code = "unauthenticated";
    await expectRejection(tasks.ensure("thread-2"), TaskRegistrationError, code);
  });

  it("does not hold a turn up beyond its own time", async () => {
    const world = await startWorld();
    const thread = world.tasks({ deadlineMs: 300 }).thread("thread-1");
    const before = expectAgent(await thread.credential());
    await cutOff(world, true);
    const held = gate();
    world.authority.fault("rotate_key", { kind: "hold", until: held.opened });
    const refused = thread.refused(before, { code: "bad_signature", origin });
    await expectRejection(refused, TaskRegistrationError, "timeout");
    held.open();
  });
});

describe("a signature that is refused without a rotation", () => {
  it("by the authority fails the turn, once", async () => {
    const world = await startWorld();
    world.authority.fault("register_task", refusal(401, "bad_signature"), 2);
    await expectRejection(world.tasks().ensure("thread-1"), TaskRegistrationError, "bad_signature");
    expect(world.authority.counts).toMatchObject({ registerTask: 1, rotateKey: 0 });
  });

  it("by a resource server after the agent was replaced is handed up", async () => {
    const world = await startWorld();
    const tasks = world.tasks();
    const thread = tasks.thread("thread-1");
    const before = expectAgent(await thread.credential());
    world.authority.forgetAgent("agent_1");
    await tasks.ensure("thread-2");
    expect(await thread.refused(before, { code: "bad_signature", origin })).toBeUndefined();
  });

  it("by a resource server after a switch of accounts is handed up", async () => {
    const world = await startWorld();
    const thread = world.tasks().thread("thread-1");
    const before = expectAgent(await thread.credential());
    world.auth.set(world.login("acct-2"));
    expect(await thread.refused(before, { code: "bad_signature", origin })).toBeUndefined();
  });
});
