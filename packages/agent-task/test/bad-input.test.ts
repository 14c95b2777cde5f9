import { createHash } from "node:crypto";
import { readFile, stat, writeFile } from "node:fs/promises";
import { AgentKeyError } from "@countersign/agent-key";
import { temporaryDirectory } from "@countersign/testing";
import { expectError, expectRejection, expectThrow } from "@countersign/testing/vitest";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import type { TaskScope } from "../src/agent-task.js";
import { AgentTaskError } from "../src/agent-task-error.js";
import { AgentTaskManager, type AgentTaskManagerOptions } from "../src/agent-task-manager.js";
import { fileTaskStore } from "../src/store/file-task-store.js";
import { memoryTaskStore } from "../src/store/memory-task-store.js";
import { TaskRegistrationError } from "../src/task-registration-error.js";
import { startWorld } from "./world.js";

const BAD_SCOPES = ["", "a\nb", "a\u0000", "\u0085", "\ud800", "x".repeat(257)];

async function startHome() {
  const home = await temporaryDirectory();
  onTestFinished(() => home[Symbol.asyncDispose]());
  const directory = `${home.path}/threads`;
  const file = `${directory}/${createHash("sha256").update("thread-1").digest("hex")}.json`;
  return { directory, file };
}

describe("a scope that is not valid", () => {
  it("is refused before anything is sent or stored", async () => {
    const world = await startWorld();
    const tasks = world.tasks();
    for (const scope of BAD_SCOPES) {
      expectThrow(() => tasks.thread(scope), AgentKeyError, "invalid_request");
      expectThrow(() => tasks.prewarm(scope), AgentKeyError, "invalid_request");
      expectThrow(() => tasks.run().fork(scope), AgentKeyError, "invalid_request");
      await expectRejection(tasks.ensure(scope), AgentKeyError, "invalid_request");
      await expectRejection(tasks.peek(scope), AgentKeyError, "invalid_request");
      await expectRejection(tasks.forget(scope), AgentKeyError, "invalid_request");
    }
    const symbol = Symbol("other") as TaskScope;
    await expectRejection(tasks.ensure(symbol), AgentKeyError, "invalid_request");
    expect(world.sent()).toBe(0);
    expect(await tasks.list()).toEqual([]);
  });

  it("may be odd, and reaches no path and no URL (G-C12)", async () => {
    const world = await startWorld();
    const { directory } = await startHome();
    const tasks = world.tasks({ store: fileTaskStore(directory) });
    for (const scope of [
      "../../etc",
      "нить 🧵",
      "a/b?c#d",
      "x".repeat(256),
      "\u202e",
      "__proto__",
    ]) {
      const task = await tasks.ensure(scope);
      expect((await tasks.peek(scope))?.taskId).toBe(task?.taskId);
    }
    expect(await tasks.list()).toHaveLength(6);
    for (const request of world.authority.requests) {
      expect(request.url).toMatch(/^\/v1\/agent\/(register|agent_1\/task\/register)$/);
    }
  });
});

describe("an id of the authority", () => {
  it("is percent-encoded where it stands in a URL", async () => {
    const world = await startWorld();
    const body = { agent_runtime_id: "agent{1}^|`[x]" };
    world.authority.fault("register_agent", { kind: "answer", body });
    world.authority.fault("register_agent", { kind: "status", status: 400 });
    const tasks = world.tasks();
    await tasks.ensure("thread-1").catch(() => {});
    expect(world.authority.requests[1]?.url).toBe(
      "/v1/agent/agent%7B1%7D%5E%7C%60%5Bx%5D/task/register",
    );
  });
});

describe("options", () => {
  it("are config_invalid at construction when they are wrong, and named", async () => {
    const world = await startWorld();
    const bad: readonly [option: string, options: unknown][] = [
      ["identities", { identities: undefined }],
      ["identities", { identities: memoryTaskStore() }],
      ["store", { store: null }],
      ["store", { store: "~/.my-agent/threads" }],
      ["store", { store: Promise.resolve(memoryTaskStore()) }],
      ["onFailure", { onFailure: "ignore" }],
      ["deadlineMs", { deadlineMs: 0 }],
      ["deadlineMs", { deadlineMs: Number.NaN }],
      ["deadlineMs", { deadlineMs: 2 ** 31 }],
      ["deadlineMs", { deadlineMs: "1000" }],
      ["renewBeforeMs", { renewBeforeMs: -1 }],
      ["now", { now: 0 }],
      ["bearerOrigins", { bearerOrigins: "https://api.example" }],
      ["bearerOrigins", { bearerOrigins: ["api.example"] }],
      ["bearerOrigins", { bearerOrigins: ["http://api.example"] }],
      ["bearerOrigins", { bearerOrigins: ["https://user:secret@api.example"] }],
    ];
    for (const [option, options] of bad) {
      const make = () => world.tasks(options as Partial<AgentTaskManagerOptions>);
      expectThrow(make, AgentKeyError, "config_invalid");
      expect(make).toThrow(new RegExp(`^${option}(?: must|: )`));
      expect(make).not.toThrow("secret");
    }
    for (const options of [undefined, world.identities.authority]) {
      const make = () => new AgentTaskManager(options as unknown as AgentTaskManagerOptions);
      expectThrow(make, AgentKeyError, "config_invalid");
      expect(make).toThrow(/^options must/);
    }
    const wrongListener = () => fileTaskStore("/nowhere", { onUnreadable: true } as never);
    expectThrow(wrongListener, AgentKeyError, "config_invalid");
    expect(wrongListener).toThrow(/^onUnreadable must/);
  });
});

describe("a stored thread that cannot be read", () => {
  it("fails this thread's turn with a remedy, and registers nothing", async () => {
    const world = await startWorld();
    const { directory, file } = await startHome();
    const tasks = world.tasks({ store: fileTaskStore(directory) });
    await tasks.ensure("thread-2");
    world.sent();
    const good = await readFile(
      file.replace(/[^/]+$/, `${createHash("sha256").update("thread-2").digest("hex")}.json`),
      "utf8",
    );
    for (const content of ["", "{", "null", good.slice(0, 40), good, '{"version":2}']) {
      await writeFile(file, content, { mode: 0o600 });
      const error = await expectRejection(
        tasks.ensure("thread-1"),
        TaskRegistrationError,
        "store_corrupt",
      );
      expect(error.hint).toBeDefined();
      expect(error.scope).toBe("thread-1");
      await expectRejection(tasks.peek("thread-1"), AgentTaskError, "store_corrupt");
      expect(await readFile(file, "utf8")).toBe(content);
    }
    expect(world.sent()).toBe(0);
    expect(await tasks.ensure("thread-2")).toBeDefined();
  });

  it("does not hide the others from a list with onUnreadable", async () => {
    const world = await startWorld();
    const { directory, file } = await startHome();
    await world.tasks({ store: fileTaskStore(directory) }).ensure("thread-2");
    await writeFile(file, "{", { mode: 0o600 });
    await expectRejection(fileTaskStore(directory).list(), AgentTaskError, "store_corrupt");
    const unreadable: unknown[] = [];
    const store = fileTaskStore(directory, { onUnreadable: (error) => unreadable.push(error) });
    expect((await store.list()).map(({ scope }) => scope)).toEqual(["thread-2"]);
    expectError(unreadable[0], AgentTaskError, "store_corrupt");
  });

  it("can be forgotten", async () => {
    const world = await startWorld();
    const { directory, file } = await startHome();
    const tasks = world.tasks({ store: fileTaskStore(directory) });
    const first = await tasks.ensure("thread-1");
    await writeFile(file, "{", { mode: 0o600 });
    expect(await tasks.forget("thread-1")).toBe(true);
    await expect(stat(file)).rejects.toThrow();
    expect((await tasks.ensure("thread-1"))?.taskId).toBe(first?.taskId);
  });
});

describe("a store that fails", () => {
  it("fails the turn before anything is sent when it cannot be read", async () => {
    const world = await startWorld();
    await world.identities.ensure();
    world.sent();
    const load = async () => {
      throw new Error("disk on fire");
    };
    const tasks = world.tasks({ store: { load, save: async () => {} } });
    const error = await expectRejection(tasks.ensure("a"), TaskRegistrationError, "store_denied");
    expect(error.retryable).toBe(false);
    expect(world.sent()).toBe(0);
  });

  it("fails the turn when it cannot be written, and the next turn gets the same task", async () => {
    const world = await startWorld();
    const memory = memoryTaskStore();
    let broken = true;
    const tasks = world.tasks({
      store: {
        ...memory,
        save: async (scope, thread) => {
          if (broken) throw new Error("disk full");
          await memory.save(scope, thread);
        },
      },
    });
    await expectRejection(tasks.ensure("thread-1"), TaskRegistrationError, "store_denied");
    broken = false;
    const task = await tasks.ensure("thread-1");
    expect(task?.taskId).toBe("task_1");
    expect(world.authority.tasks).toHaveLength(1);
  });

  it("saves nothing once its lock is lost, and the next turn gets the same task (G-H7)", async () => {
    const world = await startWorld();
    await world.identities.ensure();
    const memory = memoryTaskStore();
    let saved = 0;
    const lost = new AbortController();
    const tasks = world.tasks({
      store: {
        load: memory.load,
        async save(scope, thread) {
          saved += 1;
          await memory.save(scope, thread);
        },
        withLock: (_scope, run) => run(lost.signal.aborted ? undefined : lost.signal),
      },
    });
    tasks.on("registering", () => queueMicrotask(() => lost.abort()));
    const first = tasks.ensure("thread-1");
    await first.catch(() => {});
    const error = await expectRejection(first, TaskRegistrationError, "store_locked");
    expect(error.retryable).toBe(true);
    expect(saved).toBe(0);
    expect((await tasks.ensure("thread-1"))?.taskId).toBe("task_1");
    expect(world.authority.tasks).toHaveLength(1);
  });

  it("saves nothing when its lock is lost just as the answer comes", async () => {
    const world = await startWorld();
    const lost = new AbortController();
    const { client } = world.identities;
    const request = client.request.bind(client);
    vi.spyOn(client, "request").mockImplementation(async (...given) => {
      const answer = await request(...given);
      if (given[0].path.endsWith("/task/register")) lost.abort();
      return answer;
    });
    let saved = 0;
    const tasks = world.tasks({
      store: {
        load: async () => undefined,
        save: async () => {
          saved += 1;
        },
        withLock: (_scope, run) => run(lost.signal),
      },
    });
    await expectRejection(tasks.ensure("a"), TaskRegistrationError, "store_locked");
    expect(saved).toBe(0);
    expect(world.authority.tasks).toHaveLength(1);
  });

  it("is not trusted with ids that are not valid", async () => {
    const world = await startWorld();
    const task = await world.tasks().ensure("thread-1");
    const load = async (scope: string) => ({
      version: 1 as const,
      scope,
      tasks: [
        {
          authority: world.authority.url,
          agent_runtime_id: task?.agentRuntimeId ?? "",
          task_id: "a:b",
          registered_at: "",
        },
      ],
    });
    const tasks = world.tasks({ store: { load, save: async () => {} } });
    await expectRejection(tasks.ensure("thread-1"), TaskRegistrationError, "store_corrupt");
  });
});

describe("a number of a call that is not valid", () => {
  const wrong = [Number.NaN, -1, Number.POSITIVE_INFINITY];

  it.each(
    ["deadlineMs", "outageMs"].flatMap((option) => wrong.map((value) => ({ option, value }))),
  )("is refused before anything is sent: $option $value", async ({ option, value }) => {
    const world = await startWorld();
    const thread = world.tasks().thread("thread-1");
    const credential = await thread.credential();
    world.sent();
    const options = { [option]: value };
    const refusal = { code: "unknown_task", origin: "https://api.example" } as const;
    for (const call of [
      () => thread.ensure(options),
      () => thread.run(async () => {}, options),
      () => thread.credential(options),
      () => thread.refused(credential, refusal, options),
    ]) {
      const error = await expectRejection(call(), AgentKeyError, "config_invalid");
      expect(error.message).toContain(option);
    }
    expect(world.sent()).toBe(0);
  });

  it("is refused by the stores before they wait for a lock", async () => {
    const { directory } = await startHome();
    for (const store of [memoryTaskStore(), fileTaskStore(directory)]) {
      for (const waitMs of wrong) {
        const locking = store.withLock("thread-1", async () => "ran", { waitMs });
        await expectRejection(locking, AgentKeyError, "config_invalid");
      }
      expect(await store.withLock("thread-1", async () => "ran", { waitMs: 0 })).toBe("ran");
    }
  });
});

describe("a closed manager", () => {
  it("refuses, and starts nothing", async () => {
    const world = await startWorld();
    const tasks = world.tasks();
    await tasks.close();
    await expectRejection(tasks.ensure("thread-1"), TaskRegistrationError, "cancelled");
    tasks.prewarm("thread-1");
    expect(world.sent()).toBe(0);
  });
});
