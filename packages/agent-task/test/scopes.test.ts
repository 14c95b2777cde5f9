import { createHash } from "node:crypto";
import { readdir, stat } from "node:fs/promises";
import { fixedAuth } from "@countersign/agent-identity";
import { headerOf, temporaryDirectory } from "@countersign/testing";
import { describe, expect, it, onTestFinished } from "vitest";
import { RUN } from "../src/agent-task.js";
import { fileTaskStore } from "../src/store/file-task-store.js";
import { settle } from "./fake-timers.js";
import { gate, startWorld } from "./world.js";

describe("calls without a thread", () => {
  it("share the one task of the run, however many handles and calls at once", async () => {
    const world = await startWorld();
    const tasks = world.tasks();
    await world.identities.ensure();
    world.sent();
    const handles = Array.from({ length: 20 }, () => tasks.run());
    handles[0]?.prewarm();
    const credentials = await Promise.all(handles.map((handle) => handle.credential()));
    expect(new Set(credentials.map((one) => one.kind === "agent" && one.taskId)).size).toBe(1);
    expect((await tasks.ensure(RUN))?.taskId).toBe("task_1");
    expect(world.sent()).toBe(1);
  });

  it("leave no file and no name behind", async () => {
    const home = await temporaryDirectory();
    onTestFinished(() => home[Symbol.asyncDispose]());
    const world = await startWorld();
    const tasks = world.tasks({ store: fileTaskStore(home.path) });
    await tasks.run().ensure();
    expect(await readdir(home.path)).toEqual([]);
    expect(await tasks.list()).toEqual([]);
  });
});

describe("threads, names and the run", () => {
  it("have a task each of one agent, also where a name looks like another's", async () => {
    const world = await startWorld();
    const tasks = world.tasks();
    const scopes = ["thread-1", "cli", "run", "RUN", "Symbol(countersign.run)", RUN] as const;
    const all = await Promise.all(scopes.map((scope) => tasks.ensure(scope)));
    expect(new Set(all.map((task) => task?.taskId)).size).toBe(scopes.length);
    expect(new Set(all.map((task) => task?.agentRuntimeId))).toEqual(new Set(["agent_1"]));
    const keys = world.authority.requests.map((request) => headerOf(request, "idempotency-key"));
    expect(new Set(keys.filter((key) => key !== undefined)).size).toBe(scopes.length);
  });

  it("are stored under their hash, readable for the owner alone", async () => {
    const home = await temporaryDirectory();
    onTestFinished(() => home[Symbol.asyncDispose]());
    const world = await startWorld();
    const directory = `${home.path}/threads`;
    await world.tasks({ store: fileTaskStore(directory) }).ensure("thread-1");
    const name = `${createHash("sha256").update("thread-1").digest("hex")}.json`;
    expect((await stat(`${directory}/${name}`)).mode & 0o777).toBe(0o600);
    expect((await stat(directory)).mode & 0o777).toBe(0o700);
  });
});

describe("an agent that came with its key", () => {
  it("has its tasks without any human token, in one request each", async () => {
    const maker = await startWorld();
    const identity = await maker.identities.ensure();
    if (identity === undefined) throw new Error("no identity");
    const { authority } = maker;
    authority.removeHuman(maker.human.accessToken);
    const world = await startWorld({ authority, auth: fixedAuth({ kind: "agent", identity }) });
    const tasks = world.tasks();
    const credential = await tasks.thread("thread-1").credential();
    expect(credential).toMatchObject({ kind: "agent", agentRuntimeId: "agent_1" });
    await tasks.run().ensure();
    expect(world.sent()).toBe(2);
    for (const request of authority.requests.slice(-2)) {
      expect(request.step).toBe("register_task");
      expect(headerOf(request, "authorization")).toBeUndefined();
      expect(headerOf(request, "x-openai-authorization")).toBeUndefined();
    }
    const task = await tasks.ensure("thread-1");
    await tasks.invalidate(task ?? expect.fail("no task"), "task_revoked");
    expect((await tasks.ensure("thread-1"))?.taskId).not.toBe(task?.taskId);
  });

  it("is followed by a human's own agent when one logs in, and never mixed with it", async () => {
    const maker = await startWorld();
    const identity = await maker.identities.ensure();
    if (identity === undefined) throw new Error("no identity");
    const world = await startWorld({ authority: maker.authority, account: "acct-2" });
    const tasks = world.tasks();
    world.auth.set({ kind: "agent", identity });
    tasks.on("registering", ({ agentRuntimeId }) => {
      if (agentRuntimeId === "agent_1") world.auth.set(world.human);
    });
    expect((await tasks.ensure("thread-1"))?.agentRuntimeId).toBe("agent_2");
    world.auth.set({ kind: "agent", identity });
    tasks.removeAllListeners();
    expect((await tasks.ensure("thread-1"))?.agentRuntimeId).toBe("agent_1");
  });

  it("asks for nothing more once another agent is at work", async () => {
    const maker = await startWorld();
    const { authority, store } = maker;
    const first = await maker.identities.ensure();
    const other = await startWorld({ authority, account: "acct-2" });
    const second = await other.identities.ensure();
    if (first === undefined || second === undefined) throw new Error("no identity");
    const world = await startWorld({ authority });
    world.auth.set({ kind: "agent", identity: first });
    const { opened, open } = gate();
    const busy = store.withLock?.("thread-1", () => opened);
    const turn = world.tasks({ store }).ensure("thread-1");
    await settle();
    world.auth.set({ kind: "agent", identity: second });
    open();
    await busy;
    expect((await turn)?.agentRuntimeId).toBe("agent_2");
    expect(authority.tasks).toMatchObject([{ agentRuntimeId: "agent_2" }]);
  });
});
