import { expectRejection } from "@countersign/testing/vitest";
import { describe, expect, it } from "vitest";
import { RUN } from "../src/agent-task.js";
import { AgentTaskError } from "../src/agent-task-error.js";
import { timedBy } from "../src/internal/task-timers.js";
import type { FallbackEvent } from "../src/task-events.js";
import { TaskRegistrationError } from "../src/task-registration-error.js";
import { FakeTimers } from "./fake-timers.js";
import { refusal, startWorld } from "./world.js";

const bearerOrigins = ["https://API.example:443/", "http://127.0.0.1:8080"];
const origins = ["https://api.example", "http://127.0.0.1:8080"];

describe("without a login", () => {
  it("rejects: a request is never sent without a credential (G-C7)", async () => {
    const world = await startWorld();
    world.auth.set(undefined);
    for (const on of [true, false]) {
      world.flag.on = on;
      const thread = world.tasks({ bearerOrigins }).thread("thread-1");
      const error = await expectRejection(thread.credential(), AgentTaskError, "not_logged_in");
      expect(error.hint).toContain("log in");
      await expectRejection(
        thread.run(async () => "begun"),
        AgentTaskError,
        "not_logged_in",
      );
    }
    expect(world.sent()).toBe(0);
  });

  it("never puts an agent's own login into a header while the feature is off", async () => {
    const world = await startWorld();
    const identity = await world.identities.ensure();
    if (identity === undefined) throw new Error("no identity");
    world.auth.set({ kind: "agent", identity });
    world.flag.on = false;
    const thread = world.tasks({ bearerOrigins }).thread("thread-1");
    await expectRejection(thread.credential(), AgentTaskError, "not_logged_in");
  });
});

describe("while the feature is off", () => {
  it("gives no credential and does not read the login unless an origin may get the human's token (G-C8)", async () => {
    const world = await startWorld();
    world.flag.on = false;
    for (const options of [{}, { bearerOrigins: [] }, { onFailure: "bearer" } as const]) {
      const thread = world.tasks(options).thread("thread-1");
      expect(await thread.credential()).toEqual({ kind: "none", reason: "feature_off" });
    }
    expect(world.sent()).toBe(0);
    let reads = 0;
    const current = async () => {
      reads += 1;
      throw new Error("the login cannot be read");
    };
    const unreadable = await startWorld({ auth: { current } });
    unreadable.flag.on = false;
    const turn = await unreadable
      .tasks()
      .run()
      .run(async (given) => given);
    expect(turn).toEqual({ credential: { kind: "none", reason: "feature_off" } });
    expect(reads).toBe(0);
  });

  it("gives the human's token for the declared origins, says why, and sends nothing", async () => {
    const world = await startWorld();
    world.flag.on = false;
    const tasks = world.tasks({ bearerOrigins });
    const turn = await tasks.thread("thread-1").run(async (given) => given);
    expect(turn.task).toBeUndefined();
    expect(turn.credential).toMatchObject({
      kind: "bearer",
      authority: world.authority.url,
      accessToken: world.human.accessToken,
      reason: "feature_off",
      origins,
    });
    expect(await tasks.ensure("thread-1")).toBeUndefined();
    expect(world.sent()).toBe(0);
    world.flag.on = true;
    expect((await tasks.thread("thread-1").credential()).kind).toBe("agent");
  });
});

describe("the fallback to the human's token", () => {
  it("never happens unless it is declared with origins (G-C9)", async () => {
    const world = await startWorld();
    world.authority.fault("register_task", { kind: "status", status: 503 }, 9);
    for (const options of [{}, { bearerOrigins }, { onFailure: "bearer" } as const]) {
      const thread = world.tasks(options).thread("thread-1");
      await expectRejection(thread.credential(), TaskRegistrationError, "server_error");
    }
  });

  it("never happens after a refusal, nor for an answer that is not valid (G-C9)", async () => {
    const world = await startWorld();
    const tasks = world.tasks({ onFailure: "bearer", bearerOrigins });
    const thread = tasks.thread("thread-1");
    await world.identities.ensure();
    const codes = ["unauthenticated", "forbidden", "invalid_request", "agent_revoked"] as const;
    for (const code of codes) {
      world.authority.fault("register_task", refusal(401, code));
      await expectRejection(thread.credential(), TaskRegistrationError, code);
    }
    world.authority.fault("register_task", { kind: "answer", body: {} });
    await expectRejection(thread.credential(), TaskRegistrationError, "bad_response");
    const signal = AbortSignal.abort();
    await expectRejection(thread.credential({ signal }), TaskRegistrationError, "cancelled");
  });

  it("never follows a resource server's refusal", async () => {
    const world = await startWorld();
    const thread = world.tasks({ onFailure: "bearer", bearerOrigins }).thread("thread-1");
    const credential = await thread.credential();
    world.authority.fault("register_task", { kind: "status", status: 503 }, 3);
    await expectRejection(
      thread.refused(credential, { code: "task_revoked", origin: "https://api.example" }),
      TaskRegistrationError,
      "server_error",
    );
  });

  it("happens for temporary failures, to the declared origins alone, and an event reports it", async () => {
    const cases = [
      { fault: { kind: "status", status: 503 }, code: "server_error" },
      { fault: { kind: "status", status: 429 }, code: "rate_limited" },
      { fault: { kind: "reset" }, code: "unreachable" },
      { fault: { kind: "hang" }, code: "timeout" },
    ] as const;
    for (const { fault, code } of cases) {
      const world = await startWorld();
      const timers = new FakeTimers();
      const tasks = world.tasks({ onFailure: "bearer", bearerOrigins, ...timedBy(timers) });
      const events: FallbackEvent[] = [];
      tasks.on("fallback", (event) => events.push(event));
      await world.identities.ensure();
      world.authority.fault("register_task", fault, Number.POSITIVE_INFINITY);
      const running = tasks.thread("thread-1").run(async (given) => given);
      if (code === "timeout") {
        await expect.poll(() => world.authority.counts.registerTask).toBe(1);
        await timers.advance(30_000);
      }
      const turn = await running;
      expect(turn.task).toBeUndefined();
      expect(turn.credential).toMatchObject({
        kind: "bearer",
        authority: world.authority.url,
        accessToken: world.human.accessToken,
        reason: "fallback",
        origins,
        error: expect.objectContaining({ code }),
      });
      expect(events.map(({ error, origins: told }) => [error.code, told])).toEqual([
        [code, origins],
      ]);
      expect(JSON.stringify(events)).not.toContain(world.human.accessToken);
      world.authority.clearFaults();
      expect((await tasks.thread("thread-1").credential()).kind).toBe("agent");
    }
  });
});

describe("the fallback event", () => {
  it("comes once for each thread, however many turns go on as the human", async () => {
    const world = await startWorld();
    const tasks = world.tasks({ onFailure: "bearer", bearerOrigins });
    const told: unknown[] = [];
    tasks.on("fallback", ({ scope }) => told.push(scope));
    await world.identities.ensure();
    world.authority.fault("register_task", { kind: "status", status: 503 }, 9 * 3);
    const turns = async (scope: string) => {
      const thread = tasks.thread(scope);
      for (let turn = 0; turn < 3; turn += 1) {
        expect(await thread.credential()).toMatchObject({ reason: "fallback" });
      }
    };
    await turns("thread-1");
    await turns("thread-2");
    await Promise.all([tasks.run().credential(), tasks.run().credential()]);
    expect(told).toEqual(["thread-1", "thread-2", RUN]);
    // It is the registration that is tried again in each turn, not the fallback that is kept.
    world.authority.clearFaults();
    expect((await tasks.thread("thread-1").credential()).kind).toBe("agent");
  });
});

describe("a turn", () => {
  it("gives back what it returned, and throws what it threw", async () => {
    const world = await startWorld();
    const thread = world.tasks().thread("thread-1");
    const task = await thread.ensure();
    const turn = await thread.run(async (given) => given);
    expect(turn.task).toBe(task);
    expect(turn.credential).toMatchObject({ kind: "agent", taskId: task?.taskId, key: task?.key });
    const failure = new Error("the model said no");
    await expect(thread.run(() => Promise.reject(failure))).rejects.toBe(failure);
  });
});
