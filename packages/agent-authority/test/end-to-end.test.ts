// The real client against the real authority, both with the real verifier.

import {
  type AgentDirectory,
  AssertionRejected,
  AssertionSigner,
  createVerifier,
} from "@countersign/agent-assertion";
import { remoteDirectory } from "@countersign/agent-assertion/remote-directory";
import { headerAsync } from "@countersign/agent-assertion/sign-async";
import { AgentIdentityManager, fixedAuth, memoryStore } from "@countersign/agent-identity";
import { AuthorityError } from "@countersign/agent-identity/authority-client";
import { type AgentTask, AgentTaskManager, TaskRegistrationError } from "@countersign/agent-task";
import { expectRejection } from "@countersign/testing/vitest";
import { describe, expect, it } from "vitest";
import { databaseDirectory } from "../src/index.js";
import { TestedAuthority } from "./start-authority.js";

const features = { isEnabled: () => true };

async function startClient(
  tested: TestedAuthority,
  options: {
    proof?: "bearer" | "biscuit";
    base?: string;
    userId?: string;
    /** What the login says. Default: the token's user. */
    loginUserId?: string;
  } = {},
) {
  const { proof = "bearer", base = "", userId = "user-1", loginUserId = userId } = options;
  const now = () => tested.clock.nowMs;
  const auth = fixedAuth({
    kind: "human",
    accountId: "acct-1",
    userId: loginUserId,
    accessToken: await tested.token("human", userId),
    proof,
  });
  const authority = tested.url + base;
  const store = memoryStore();
  const identities = new AgentIdentityManager({ authority, auth, store, features, now });
  return { authority, store, identities, tasks: new AgentTaskManager({ identities, now }) };
}

async function headerOf(tested: TestedAuthority, task: AgentTask | undefined): Promise<string> {
  if (task === undefined) return expect.unreachable("no task");
  const { authority, agentRuntimeId, taskId, key } = task;
  const signer = new AssertionSigner({ now: () => tested.clock.nowMs });
  return await headerAsync(signer, { kind: "agent", authority, agentRuntimeId, taskId, key });
}

function directoriesOf(tested: TestedAuthority, authority: string): AgentDirectory[] {
  const now = () => tested.clock.nowMs;
  return [databaseDirectory(tested.store, authority), remoteDirectory(authority, { now })];
}

describe("a login with the account or user of another human", () => {
  for (const proof of ["bearer", "biscuit"] as const) {
    it(`is found by the one request that would register its agent, by ${proof}`, async () => {
      await using tested = await TestedAuthority.start();
      const { identities, store } = await startClient(tested, { proof, loginUserId: "user-2" });
      await expectRejection(identities.ensure(), AuthorityError, "forbidden");
      expect(await tested.authority.registry.listAgents()).toEqual([]);
      // Nor is a key kept for a registration that can never succeed.
      expect((await store.load()).identities).toEqual([]);
    });
  }
});

describe("an agent, a task, an assertion", () => {
  for (const proof of ["bearer", "biscuit"] as const) {
    for (const base of ["", "/backend-api"]) {
      it(`are accepted, with the human proved by ${proof} under "${base}"`, async () => {
        // Every registration of this client carries its proof, under either mount.
        await using tested = await TestedAuthority.start({ registrationProof: "require" });
        const { authority, tasks } = await startClient(tested, { proof, base });
        const first = await tasks.ensure("thread-1");
        const second = await tasks.ensure("thread-2");
        expect(second?.agentRuntimeId).toBe(first?.agentRuntimeId);
        expect(second?.taskId).not.toBe(first?.taskId);
        const header = await headerOf(tested, first);
        for (const directory of directoriesOf(tested, authority)) {
          const verifier = createVerifier({ directory, now: () => tested.clock.nowMs });
          expect(await verifier.verify(header)).toMatchObject({
            agentRuntimeId: first?.agentRuntimeId,
            taskId: first?.taskId,
            accountId: "acct-1",
            userId: "user-1",
          });
        }
        await tasks.close();
      });
    }
  }

  it("are refused by a verifier once the task is revoked, and the client gets another", async () => {
    await using tested = await TestedAuthority.start();
    const { authority, tasks } = await startClient(tested);
    const task = await tasks.ensure("thread-1");
    const directory = databaseDirectory(tested.store, authority);
    const verifier = createVerifier({ directory, now: () => tested.clock.nowMs });
    await tested.authority.registry.revokeTask(task?.taskId ?? "");
    const refused = verifier.verify(await headerOf(tested, task));
    await expectRejection(refused, AssertionRejected, "task_revoked");
    if (task !== undefined) await tasks.invalidate(task, "task_revoked");
    const next = await tasks.ensure("thread-1");
    expect(next?.taskId).not.toBe(task?.taskId);
    await expect(verifier.verify(await headerOf(tested, next))).resolves.toBeDefined();
    await tasks.close();
  });

  it("end with the agent's revocation, at the verifier and at the authority", async () => {
    await using tested = await TestedAuthority.start();
    const { authority, tasks } = await startClient(tested);
    const task = await tasks.ensure("thread-1");
    await tested.authority.registry.revokeAgent(task?.agentRuntimeId ?? "");
    const directory = databaseDirectory(tested.store, authority);
    const verifier = createVerifier({ directory, now: () => tested.clock.nowMs });
    const refused = verifier.verify(await headerOf(tested, task));
    await expectRejection(refused, AssertionRejected, "agent_revoked");
    await expectRejection(tasks.ensure("thread-2"), TaskRegistrationError, "agent_revoked");
    expect(await tested.authority.registry.listAgents()).toHaveLength(1);
    await tasks.close();
  });

  it("bring the same task back to a thread whose state was lost", async () => {
    await using tested = await TestedAuthority.start();
    const { identities, tasks } = await startClient(tested);
    const task = await tasks.ensure("thread-1");
    const now = () => tested.clock.nowMs;
    const elsewhere = new AgentTaskManager({ identities, now });
    expect((await elsewhere.ensure("thread-1"))?.taskId).toBe(task?.taskId);
    expect(await tested.authority.registry.listTasks()).toHaveLength(1);
    await Promise.all([tasks.close(), elsewhere.close()]);
  });

  it("are registered again for an agent that has expired", async () => {
    await using tested = await TestedAuthority.start({ agentTtlSeconds: 600 });
    const { tasks } = await startClient(tested);
    const task = await tasks.ensure("thread-1");
    tested.clock.nowMs += 600_000;
    const next = await tasks.ensure("thread-2");
    expect(next?.agentRuntimeId).toBe(task?.agentRuntimeId);
    expect(await tested.authority.registry.listAgents()).toMatchObject([{ state: "active" }]);
    await tasks.close();
  });
});

describe("databaseDirectory", () => {
  it("takes a defect of its queries for no failure of the store", async () => {
    await using tested = await TestedAuthority.start();
    const { rows } = tested.store;
    await rows.schema.alterTable("agents").renameColumn("revoked_at", "ended_at").execute();
    const look = databaseDirectory(tested.store, tested.url).agent("agent-1");
    const error = await look.catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(Error);
    expect(error).not.toHaveProperty("code", "store_denied");
  });

  it("normalises its authority, and knows neither strangers nor others' tasks", async () => {
    await using tested = await TestedAuthority.start();
    const directory = databaseDirectory(tested.store, "HTTPS://Authority.Example:443/base//");
    expect(directory.authority).toBe("https://authority.example/base");
    const [one, two] = [await startClient(tested), await startClient(tested, { userId: "user-2" })];
    const [mine, theirs] = [await one.tasks.ensure("t"), await two.tasks.ensure("t")];
    const { agentRuntimeId = "", taskId = "" } = mine ?? {};
    expect(await directory.agent("agent-1")).toBeUndefined();
    expect(await directory.task(agentRuntimeId, theirs?.taskId ?? "")).toBeUndefined();
    expect(await directory.task(agentRuntimeId, taskId)).toMatchObject({ taskId, state: "active" });
    expect(await directory.agent(agentRuntimeId)).toMatchObject({
      agentRuntimeId,
      accountId: "acct-1",
      userId: "user-1",
      state: "active",
    });
    await Promise.all([one.tasks.close(), two.tasks.close()]);
  });
});
