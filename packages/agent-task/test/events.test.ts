import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { once } from "node:events";
import {
  type AuthorityClientOptions,
  AuthorityError,
} from "@countersign/agent-identity/authority-client";
import type { AgentKey } from "@countersign/agent-key";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { TASK_CHANNEL } from "../src/task-events.js";
import { recordEvents } from "./record-events.js";
import { startWorld } from "./world.js";

describe("events", () => {
  it("tell a life: registering, registered, discarded, replaced, reused", async () => {
    const world = await startWorld();
    const { store } = world;
    const tasks = world.tasks({ store });
    const events = recordEvents(tasks);
    const first = await tasks.ensure("thread-1");
    await tasks.ensure("thread-1");
    if (first !== undefined) await tasks.invalidate(first, "task_revoked");
    await tasks.ensure("thread-1");
    const agent = {
      scope: "thread-1",
      authority: world.authority.url,
      agentRuntimeId: "agent_1",
    };
    expect(events).toEqual([
      ["registering", { ...agent, reason: "first" }],
      ["registered", { ...agent, taskId: "task_1", expiresAt: undefined }],
      ["discarded", { ...agent, taskId: "task_1", reason: "task_revoked" }],
      ["registering", { ...agent, reason: "replaced" }],
      ["registered", { ...agent, taskId: "task_2", expiresAt: undefined }],
    ]);
    const resumed = world.tasks({ store });
    const later = recordEvents(resumed);
    await resumed.ensure("thread-1");
    await resumed.ensure("thread-1");
    expect(later).toEqual([["reused", { ...agent, taskId: "task_2" }]]);
  });

  it("tell of each attempt that the client follows up", async () => {
    const world = await startWorld();
    await world.identities.ensure();
    const { client } = world.identities;
    const request = client.request.bind(client);
    vi.spyOn(client, "request").mockImplementation(async (call, options = {}) => {
      const { onRetry } = options as Pick<AuthorityClientOptions, "onRetry">;
      onRetry?.({ attempt: 1, delayMs: 250, error: new AuthorityError("rate_limited", "busy") });
      return await request(call, options);
    });
    const tasks = world.tasks();
    const events = recordEvents(tasks);
    await tasks.ensure("thread-1");
    expect(events).toContainEqual([
      "retrying",
      { scope: "thread-1", attempt: 1, delayMs: 250, code: "rate_limited" },
    ]);
  });

  it("hold no secret (G-H11)", async () => {
    const world = await startWorld({ proof: "biscuit" });
    const tasks = world.tasks();
    const events = recordEvents(tasks);
    world.authority.fault("register_task", { kind: "status", status: 400 });
    await tasks.ensure("thread-1").catch(() => {});
    const task = await tasks.ensure("thread-1");
    const text = JSON.stringify(events);
    expect(text).toContain("registered");
    expect(text).not.toContain(world.human.accessToken);
    expect(text).not.toContain((task?.key as AgentKey | undefined)?.exportPkcs8());
  });

  it("are published on the diagnostics channel", async () => {
    const world = await startWorld();
    const published: unknown[] = [];
    const listener = (message: unknown) => published.push(message);
    subscribe(TASK_CHANNEL, listener);
    onTestFinished(() => {
      unsubscribe(TASK_CHANNEL, listener);
    });
    await world.tasks().ensure("events-on-the-channel");
    expect(published).toContainEqual(
      expect.objectContaining({ event: "registered", scope: "events-on-the-channel" }),
    );
  });

  it("do no harm to the turn when a listener fails", async () => {
    const world = await startWorld();
    const tasks = world.tasks();
    const warned = once(process, "warning");
    tasks.on("registering", () => {
      throw new Error("a listener's own fault");
    });
    expect(await tasks.ensure("thread-1")).toBeDefined();
    expect((await warned)[0].message).toBe("a listener's own fault");
  });
});
