import { AgentKeyError } from "@countersign/agent-key";
import { expectRejection } from "@countersign/testing/vitest";
import { expect, it } from "vitest";
import { RUN, TaskRegistrationError } from "../src/index.js";
import { startWorld, type World } from "./world.js";

const origin = "https://api.example";

const labelsOf = ({ authority }: World) => authority.tasks.map(({ threadLabel }) => threadLabel);

it("is refused before a request is sent", async () => {
  const world = await startWorld();
  const tasks = world.tasks();
  for (const label of ["", " ", "a\nb", "a\u202eb", "x".repeat(65), 1 as unknown as string]) {
    const open = async () => tasks.thread("thread-1", { label }).ensure();
    await expectRejection(open(), AgentKeyError, "invalid_request");
    const fork = async () => tasks.thread("thread-1").fork("thread-2", { label }).ensure();
    await expectRejection(fork(), AgentKeyError, "invalid_request");
  }
  expect(world.sentSoFar()).toBe(0);
  await tasks.ensure("thread-1");
  expect(labelsOf(world)).toEqual([undefined]);
});

it("is sent only where it was given, and never made of the thread's id", async () => {
  const world = await startWorld();
  const tasks = world.tasks();
  await tasks.thread("thread-1", { label: "Refactor billing" }).run(async () => {});
  await tasks.thread("thread-2").ensure();
  await tasks.thread("thread-1").fork("thread-3", { label: "日本 \u{1f600}" }).credential();
  await tasks.ensure(RUN);
  expect(labelsOf(world)).toEqual(["Refactor billing", undefined, "日本 \u{1f600}", undefined]);
});

it("goes with every handle of its thread, until another one is given", async () => {
  const world = await startWorld();
  const tasks = world.tasks();
  const first = tasks.thread("thread-1", { label: "one" });
  await tasks.inThread("thread-1", () => tasks.currentThread().credential());
  tasks.thread("thread-1", { label: "two" });
  const task = (await first.ensure()) ?? expect.unreachable();
  await tasks.invalidate(task, "task_revoked");
  await first.ensure();
  expect(labelsOf(world)).toEqual(["one", "two"]);
});

it("goes with the task that replaces a refused one, also in another process that was not told of it", async () => {
  const world = await startWorld();
  const { store } = world;
  const thread = world.tasks({ store }).thread("thread-1", { label: "Nightly build" });
  const first = await thread.credential();
  await thread.refused(first, { code: "task_revoked", origin });
  const other = world.tasks({ store });
  const stored = (await other.ensure("thread-1")) ?? expect.unreachable();
  await other.invalidate(stored, "task_revoked");
  await other.ensure("thread-1");
  expect(labelsOf(world)).toEqual(["Nightly build", "Nightly build", "Nightly build"]);
  expect(await store.load("thread-1")).toMatchObject({ thread_label: "Nightly build" });
});

it("is forgotten with its thread, and still held by a handle that was made with it", async () => {
  const world = await startWorld();
  const tasks = world.tasks();
  const thread = tasks.thread("thread-1", { label: "one" });
  await thread.ensure();
  await thread.forget();
  const [first] = world.authority.tasks;
  world.authority.revokeTask(first?.taskId ?? "");
  await tasks.ensure("thread-1");
  await tasks.forget("thread-1");
  world.authority.revokeTask(world.authority.tasks[1]?.taskId ?? "");
  await thread.ensure();
  expect(labelsOf(world)).toEqual(["one", undefined, "one"]);
});

it("that changed since an answer was lost gets the same task, whose label stays, and goes with the next one", async () => {
  const world = await startWorld();
  world.authority.fault("register_task", { kind: "lose" }, Number.POSITIVE_INFINITY);
  const lost = world.tasks().thread("thread-1", { label: "first" }).ensure();
  await expectRejection(lost, TaskRegistrationError, "unreachable");
  world.authority.clearFaults();
  const again = world.tasks();
  const task =
    (await again.thread("thread-1", { label: "second" }).ensure()) ?? expect.unreachable();
  expect(labelsOf(world)).toEqual(["first"]);
  await again.invalidate(task, "task_revoked");
  await again.ensure("thread-1");
  expect(labelsOf(world)).toEqual(["first", "second"]);
});

it("that a stored thread cannot have is an error, and nothing is sent", async () => {
  const world = await startWorld();
  const { store } = world;
  await store.save("thread-1", { version: 1, scope: "thread-1", thread_label: "a\nb", tasks: [] });
  await expect(world.tasks({ store }).ensure("thread-1")).rejects.toMatchObject({
    code: "store_corrupt",
  });
  expect(world.authority.tasks).toEqual([]);
});
