import { AsyncResource } from "node:async_hooks";
import { AgentKeyError, type Credential } from "@countersign/agent-key";
import { expectRejection } from "@countersign/testing/vitest";
import { describe, expect, it } from "vitest";
import { RUN } from "../src/agent-task.js";
import { AgentTaskError } from "../src/agent-task-error.js";
import { startWorld } from "./world.js";

const origin = "https://api.example";

function taskOf(credential: Credential | undefined): string {
  if (credential?.kind !== "agent") throw new Error("not the agent's credential");
  return credential.taskId;
}

describe("the current thread", () => {
  it.each([
    ["", "an empty id"],
    ["a\u0000b", "a control character"],
  ])("refuses %j: %s", async (id) => {
    const world = await startWorld();
    const work = () => expect.unreachable("begun");
    expect(() => world.tasks().inThread(id, work)).toThrow(AgentKeyError);
  });

  it("does not exist outside of every thread: no credential, no task, no request", async () => {
    const world = await startWorld();
    const tasks = world.tasks();
    const source = tasks.currentThread();
    const outside = AsyncResource.bind(() => source.credential());
    const error = await expectRejection(source.credential(), AgentTaskError, "config_invalid");
    expect(error.hint).toContain("inThread");
    // What was bound before the thread began stays outside.
    await tasks.inThread("thread-1", () =>
      expectRejection(outside(), AgentTaskError, "config_invalid"),
    );
    await tasks.inThread("thread-1", async () => {});
    await expectRejection(source.credential(), AgentTaskError, "config_invalid");
    expect(world.sent()).toBe(0);
  });

  it("is no condition while the feature is off", async () => {
    const world = await startWorld();
    const source = world.tasks().currentThread();
    const bearer = world.tasks({ bearerOrigins: [origin] }).currentThread();
    world.flag.on = false;
    expect(await source.credential()).toEqual({ kind: "none", reason: "feature_off" });
    expect(await bearer.credential()).toMatchObject({ kind: "bearer", reason: "feature_off" });
    expect(world.sent()).toBe(0);
  });

  it("gives back what the work returned or threw, as it is", async () => {
    const tasks = (await startWorld()).tasks();
    expect(tasks.inThread("thread-1", () => 1)).toBe(1);
    const failure = new Error("of the work");
    const fail = () => {
      throw failure;
    };
    expect(() => tasks.inThread("thread-1", fail)).toThrow(failure);
    await expect(tasks.inThread("thread-1", async () => fail())).rejects.toBe(failure);
  });

  it("is the one that was entered last, by promises, timers and callbacks, and the outer one afterwards", async () => {
    const tasks = (await startWorld()).tasks();
    const source = tasks.currentThread();
    const [one, two, run] = await Promise.all(
      (["thread-1", "thread-2", RUN] as const).map((scope) => tasks.ensure(scope)),
    );
    const now = async () => taskOf(await source.credential());
    const later = () => new Promise<string>((resolve) => setTimeout(() => resolve(now()), 1));
    await tasks.inThread("thread-1", async () => {
      expect(await now()).toBe(one?.taskId);
      const inner = tasks.inThread("thread-2", later);
      expect(await now()).toBe(one?.taskId);
      expect(await inner).toBe(two?.taskId);
      expect(await tasks.inThread(RUN, now)).toBe(run?.taskId);
      expect(await later()).toBe(one?.taskId);
    });
  });

  it("is not that of another manager", async () => {
    const world = await startWorld();
    const [tasks, others] = [world.tasks(), world.tasks()];
    const inOther = () => others.currentThread().credential();
    await expectRejection(tasks.inThread("thread-1", inOther), AgentTaskError, "config_invalid");
  });

  it("takes refusals and successes for the thread that the credential was given to, from any context", async () => {
    const world = await startWorld();
    const tasks = world.tasks();
    const source = tasks.currentThread();
    const refuse = (credential: Credential) =>
      source.refused(credential, { code: "task_revoked", origin });
    const first = await tasks.inThread("thread-1", () => source.credential());
    const second = await tasks.inThread("thread-2", () => refuse(first));
    expect(taskOf(second)).not.toBe(taskOf(first));
    expect((await tasks.peek("thread-1"))?.taskId).toBe(taskOf(second));
    expect(await tasks.peek("thread-2")).toBeUndefined();
    if (second === undefined) return;
    // One new task until a request was answered otherwise.
    expect(await refuse(second)).toBeUndefined();
    const third = await tasks.inThread("thread-1", () => source.credential());
    source.accepted(third, origin);
    expect(await refuse(third)).toBeDefined();
  });

  it("has nothing to do with a credential of another source", async () => {
    const world = await startWorld();
    const tasks = world.tasks();
    const source = tasks.currentThread();
    const foreign = await tasks.thread("thread-1").credential();
    source.accepted(foreign, origin);
    const refused = source.refused(foreign, { code: "task_revoked", origin });
    expect(await refused).toBeUndefined();
  });
});
