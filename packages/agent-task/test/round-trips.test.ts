import { fileStore } from "@countersign/agent-identity";
import { headerOf, temporaryDirectory } from "@countersign/testing";
import { describe, expect, it, onTestFinished } from "vitest";
import { RUN } from "../src/agent-task.js";
import { fileTaskStore } from "../src/store/file-task-store.js";
import { memoryTaskStore } from "../src/store/memory-task-store.js";
import { startWorld } from "./world.js";

describe("round trips", () => {
  it("takes 2 requests for a cold thread, 1 for the second, 0 for 100 turns (bearer)", async () => {
    const world = await startWorld();
    const tasks = world.tasks();
    const first = await tasks.ensure("thread-1");
    expect(world.sent()).toBe(2);
    const second = await tasks.ensure("thread-2");
    expect(world.sent()).toBe(1);
    expect(second?.agentRuntimeId).toBe(first?.agentRuntimeId);
    expect(second?.taskId).not.toBe(first?.taskId);
    const thread = tasks.thread("thread-1");
    for (let turn = 0; turn < 100; turn += 1) {
      const taskId = await thread.run(async ({ task }) => task?.taskId);
      expect(taskId).toBe(first?.taskId);
    }
    expect(world.sent()).toBe(0);
    expect(world.authority.counts).toMatchObject({ biscuit: 0, registerAgent: 1, registerTask: 2 });
  });

  it("takes 4 requests for a cold thread, 2 for the second, 0 for 100 turns (biscuit)", async () => {
    const world = await startWorld({ proof: "biscuit" });
    const tasks = world.tasks();
    await tasks.ensure("thread-1");
    expect(world.sent()).toBe(4);
    await tasks.ensure("thread-2");
    expect(world.sent()).toBe(2);
    for (let turn = 0; turn < 100; turn += 1) await tasks.ensure("thread-1");
    expect(world.sent()).toBe(0);
    expect(world.authority.counts).toMatchObject({ biscuit: 3, registerAgent: 1, registerTask: 2 });
  });

  for (const proof of ["bearer", "biscuit"] as const) {
    it(`takes no request for a resumed thread, in another process of the same home (${proof})`, async () => {
      const home = await temporaryDirectory();
      onTestFinished(() => home[Symbol.asyncDispose]());
      const credentials = () => fileStore(home.path);
      const store = () => fileTaskStore(`${home.path}/threads`);
      const world = await startWorld({ proof, credentials: credentials() });
      const first = await world.tasks({ store: store() }).ensure("thread-1");
      const { authority } = world;
      const later = await startWorld({ proof, credentials: credentials(), authority });
      const reused: string[] = [];
      const tasks = later.tasks({ store: store() });
      tasks.on("reused", (event) => reused.push(event.taskId));
      const resumed = await tasks.ensure("thread-1");
      expect(later.sent()).toBe(0);
      expect(resumed?.taskId).toBe(first?.taskId);
      expect(reused).toEqual([first?.taskId]);
    });
  }

  it("brings a thread whose local state was lost back to the same task", async () => {
    const world = await startWorld();
    const first = await world.tasks({ store: memoryTaskStore() }).ensure("thread-1");
    world.sent();
    const again = await world.tasks({ store: memoryTaskStore() }).ensure("thread-1");
    expect(world.sent()).toBe(1);
    expect(again?.taskId).toBe(first?.taskId);
  });

  it("gives a fork a task of its own, and never copies one", async () => {
    const world = await startWorld();
    const thread = world.tasks().thread("thread-1");
    const parent = await thread.ensure();
    const child = await thread.fork("thread-1-fork").ensure();
    expect(child?.taskId).not.toBe(parent?.taskId);
    expect((await thread.ensure())?.taskId).toBe(parent?.taskId);
  });

  it("gives a run one task, random for each manager and never stored", async () => {
    const world = await startWorld();
    const store = memoryTaskStore();
    const tasks = world.tasks({ store });
    const first = await tasks.run().ensure();
    expect(await tasks.ensure(RUN)).toBe(first);
    expect(await tasks.list()).toEqual([]);
    const other = await world.tasks({ store }).ensure(RUN);
    expect(other?.taskId).not.toBe(first?.taskId);
    expect(await tasks.forget(RUN)).toBe(true);
    expect((await tasks.ensure(RUN))?.taskId).not.toBe(first?.taskId);
  });
});

describe("what a task registration carries", () => {
  it("is no credential in generation C, and an Idempotency-Key that names no thread (G-C12)", async () => {
    const world = await startWorld();
    await world.tasks().ensure("thread-1");
    const request = world.authority.requests.find(({ step }) => step === "register_task");
    if (request === undefined) throw new Error("no task registration");
    expect(headerOf(request, "authorization")).toBeUndefined();
    expect(headerOf(request, "x-openai-authorization")).toBeUndefined();
    expect(headerOf(request, "idempotency-key")).toMatch(/^[\w-]{43}$/);
    expect(Object.keys(JSON.parse(request.body))).toEqual(["signature", "timestamp"]);
    expect(request.body).not.toContain("thread-1");
  });

  it("is a proof of the whole request by the agent's key, at the time of its body", async () => {
    const world = await startWorld();
    const task = await world.tasks().ensure("thread-1");
    const request = world.authority.requests.find(({ step }) => step === "register_task");
    if (request === undefined) throw new Error("no task registration");
    const { timestamp } = JSON.parse(request.body);
    expect(headerOf(request, "signature-input")).toContain(
      '=("@method" "@target-uri" "content-digest" "idempotency-key")' +
        `;created=${Date.parse(timestamp) / 1000};keyid="${task?.agentRuntimeId}";`,
    );
    expect(headerOf(request, "signature")).toMatch(/^agent-registration=:[\w+/]{86}==:$/);
  });

  it("is a fresh biscuit each in generation A, and never the bearer", async () => {
    const world = await startWorld({ proof: "biscuit" });
    const tasks = world.tasks();
    await tasks.ensure("thread-1");
    await tasks.ensure("thread-2");
    const requests = world.authority.requests.filter(({ step }) => step === "register_task");
    const biscuits = requests.map((request) => headerOf(request, "x-openai-authorization"));
    expect(biscuits).toHaveLength(2);
    expect(new Set(biscuits).size).toBe(2);
    for (const request of requests) expect(headerOf(request, "authorization")).toBeUndefined();
  });

  it("is read in every form of answer", async () => {
    const world = await startWorld();
    const tasks = world.tasks();
    for (const form of ["encrypted_task_id", "encryptedTaskId", "task_id", "taskId"] as const) {
      world.authority.answerTasks = form;
      const task = await tasks.ensure(`thread ${form}`);
      expect(task?.taskId).toBe(world.authority.tasks.at(-1)?.taskId);
    }
  });
});
