import { describe, expect, it } from "vitest";
import { UseLog } from "./use-log.js";

const MINUTE = 60_000;

describe("the uses that are still to be reported", () => {
  it("hold of each agent the last one, and of each task the first one and then one in ten minutes", () => {
    const uses = new UseLog();
    for (let minute = 0; minute < 10; minute += 1) {
      uses.note("a", "t", minute * MINUTE);
      const taken = uses.take();
      expect(taken[0]).toEqual({ agentRuntimeId: "a", at: minute * MINUTE });
      expect(taken.slice(1)).toEqual(
        minute === 0 ? [{ agentRuntimeId: "a", taskId: "t", at: 0 }] : [],
      );
    }
    uses.note("a", "t", 10 * MINUTE);
    uses.note("a", "u", 10 * MINUTE + 1);
    uses.note("b", "t", 10 * MINUTE + 2);
    expect(
      uses.take().map(({ agentRuntimeId, taskId, at }) => [agentRuntimeId, taskId, at]),
    ).toEqual([
      ["a", undefined, 10 * MINUTE + 1],
      ["a", "t", 10 * MINUTE],
      ["a", "u", 10 * MINUTE + 1],
      ["b", undefined, 10 * MINUTE + 2],
      ["b", "t", 10 * MINUTE + 2],
    ]);
    expect(uses.take()).toEqual([]);
  });

  it("are bounded: what does not fit is dropped and counted, and what waits stays", () => {
    const uses = new UseLog();
    for (let i = 0; i < 6_000; i += 1) uses.note(`agent-${i}`, "t", 1);
    expect(uses.size).toBe(10_000);
    expect(uses.takeDropped()).toBe(2_000);
    expect(uses.takeDropped()).toBe(0);
    uses.note("agent-0", "t", 2);
    expect(uses.takeDropped()).toBe(0);
    expect(uses.take()[0]).toEqual({ agentRuntimeId: "agent-0", at: 2 });
  });

  it("come in reports of 400 at most, and of fewer whose ids are long", () => {
    const uses = new UseLog();
    for (let i = 0; i < 300; i += 1) uses.note(`agent-${i}`, "t", 1);
    expect([uses.take(), uses.take(), uses.take()].map(({ length }) => length)).toEqual([
      400, 200, 0,
    ]);
    for (let i = 0; i < 300; i += 1) uses.note(`${i}`.padStart(256, "a"), "t".repeat(256), 1);
    const characters = uses
      .take()
      .reduce((sum, use) => sum + use.agentRuntimeId.length + (use.taskId?.length ?? 0), 0);
    expect(characters).toBeGreaterThan(31_000);
    expect(characters).toBeLessThanOrEqual(32_000);
  });

  it("that are put back never replace later ones", () => {
    const uses = new UseLog();
    uses.note("a", "t", 1);
    const taken = uses.take();
    uses.note("a", "t", 2);
    uses.putBack(taken);
    expect(uses.take()).toEqual([
      { agentRuntimeId: "a", at: 2 },
      { agentRuntimeId: "a", taskId: "t", at: 1 },
    ]);
  });

  it("that were given up are counted, and the next use of the task is reported", () => {
    const uses = new UseLog();
    uses.note("a", "t", 1);
    uses.drop(uses.take());
    expect(uses.takeDropped()).toBe(2);
    uses.note("a", "t", 2);
    expect(uses.take()).toHaveLength(2);
  });
});
