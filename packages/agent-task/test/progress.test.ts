import { describe, expect, it } from "vitest";
import type { AgentTaskManager } from "../src/agent-task-manager.js";
import { nodeTimers, timedBy } from "../src/internal/task-timers.js";
import { FakeTimers, settle } from "./fake-timers.js";
import { recordEvents } from "./record-events.js";
import { gate, startWorld } from "./world.js";

function namesOf(events: readonly [string, object][]): unknown[] {
  return events.map(([name, event]) => ("elapsedMs" in event ? [name, event.elapsedMs] : name));
}

async function startHeld() {
  const world = await startWorld();
  const timers = new FakeTimers();
  const tasks: AgentTaskManager = world.tasks(timedBy(timers));
  await world.identities.ensure();
  const { opened, open } = gate();
  world.authority.fault("register_task", { kind: "hold", until: opened });
  const arrived = () => expect.poll(() => world.authority.counts.registerTask).toBe(1);
  return { ...world, timers, tasks, open, arrived, events: recordEvents(tasks) };
}

describe("progress", () => {
  it("is told after 1 s and then each 5 s, with the time that has gone by, between registering and registered", async () => {
    const { timers, tasks, open, arrived, events } = await startHeld();
    const turn = tasks.ensure("thread-1");
    await arrived();
    await timers.advance(999);
    expect(namesOf(events)).toEqual(["registering"]);
    await timers.advance(1);
    await timers.advance(4999);
    expect(namesOf(events)).toEqual(["registering", ["waiting", 1000]]);
    await timers.advance(1);
    await timers.advance(5000);
    expect(events.at(-1)).toEqual(["waiting", { scope: "thread-1", elapsedMs: 11_000 }]);
    open();
    await turn;
    await timers.advance(60_000);
    const told = [
      "registering",
      ["waiting", 1000],
      ["waiting", 6000],
      ["waiting", 11_000],
      "registered",
    ];
    expect(namesOf(events)).toEqual(told);
    expect(timers.size).toBe(0);
  });

  it("is one line for all turns of a thread, and none for a prewarm that no turn waits for", async () => {
    const { timers, tasks, open, arrived, events } = await startHeld();
    tasks.prewarm("thread-1");
    await arrived();
    await timers.advance(20_000);
    expect(namesOf(events)).toEqual(["registering"]);
    const turns = Promise.all([1, 2, 3].map(() => tasks.ensure("thread-1")));
    await settle();
    await timers.advance(6000);
    open();
    await turns;
    expect(namesOf(events)).toEqual([
      "registering",
      ["waiting", 1000],
      ["waiting", 6000],
      "registered",
    ]);
  });

  it("goes on counting when the turn tries by itself after a prewarm that failed", async () => {
    const { authority, timers, tasks, open, arrived, events } = await startHeld();
    tasks.prewarm("thread-1");
    await arrived();
    await timers.advance(25_000);
    const turn = tasks.ensure("thread-1");
    await settle();
    // After 5 s of them the prewarm is over, and the turn's own request goes out.
    const next = gate();
    authority.fault("register_task", { kind: "hold", until: next.opened });
    await timers.advance(5_000);
    await expect.poll(() => authority.counts.registerTask).toBe(2);
    await timers.advance(1_000);
    open();
    next.open();
    await turn;
    expect(namesOf(events)).toEqual([
      "registering",
      ["waiting", 1000],
      "failed",
      "registering",
      ["waiting", 6000],
      "registered",
    ]);
  });

  it("is over for a turn that was given up", async () => {
    const { timers, tasks, arrived, events } = await startHeld();
    const controller = new AbortController();
    const turn = tasks.ensure("thread-1", { signal: controller.signal });
    await arrived();
    controller.abort();
    await turn.catch(() => {});
    await timers.advance(60_000);
    expect(namesOf(events)).toEqual(["registering", "failed"]);
    expect(timers.size).toBe(0);
  });

  it("goes on for the turn that still waits when another one was given up", async () => {
    const { timers, tasks, open, arrived, events } = await startHeld();
    const controller = new AbortController();
    const given = tasks.ensure("thread-1", { signal: controller.signal }).catch(() => {});
    const turn = tasks.ensure("thread-1");
    await arrived();
    await timers.advance(1000);
    controller.abort();
    await given;
    await timers.advance(5000);
    open();
    await turn;
    expect(namesOf(events)).toEqual([
      "registering",
      ["waiting", 1000],
      ["waiting", 6000],
      "registered",
    ]);
  });

  it("keeps no process alive", () => {
    const timeouts = () =>
      process.getActiveResourcesInfo().filter((name) => name === "Timeout").length;
    const before = timeouts();
    const stops = [nodeTimers.after(60_000, () => {}, { keepsAlive: false })];
    expect(timeouts()).toBe(before);
    stops.push(nodeTimers.after(60_000, () => {}));
    expect(timeouts()).toBe(before + 1);
    for (const stop of stops) stop();
  });
});
