import { describe, expect, test } from "vitest";
import { measureRounds, type Round, summarise } from "./compare.ts";
import type { Contender, Run } from "./row.ts";

const round = (product: number, peer: number): Round => ({
  product: { wall: product, cpu: product * 2 },
  peer: { wall: peer, cpu: peer },
});

describe("summarise", () => {
  const rounds = [round(10, 20), round(10, 10), round(10, 40)];

  test("takes the ratio of each round first, then the middle of the ratios", () => {
    expect(summarise(rounds, "speed").wall).toEqual({ low: 1.5, median: 2, high: 3 });
    expect(summarise(rounds, "speed").cpu.median).toBe(1);
    expect(summarise(rounds, "cost").wall.median).toBe(0.5);
  });

  test("gives what a unit of work takes more, in the unit of the row", () => {
    expect(summarise(rounds, { extra: "µs" }).wall.median).toBe(-10);
    expect(summarise([round(5_000, 2_000)], { extra: "ms" }).wall.median).toBe(3);
  });

  test("gives the middle time of each side", () => {
    const { medians } = summarise(rounds, "speed");
    expect(medians).toEqual({ product: { wall: 10, cpu: 20 }, peer: { wall: 20, cpu: 20 } });
  });
});

describe("measureRounds", () => {
  function recorded(rounds: number, signal = new AbortController().signal) {
    const order: string[] = [];
    const contender = (name: string): Contender => ({
      run: () => void order.push(name),
    });
    const run: Run = { effort: { rounds, sliceMs: 0 }, signal, progress: () => {} };
    const comparison = { product: contender("A"), peer: contender("B") };
    return { order, measured: measureRounds(comparison, "wall", run) };
  }

  test("interleaves the contenders and reverses their order in each round", async () => {
    const { order, measured } = recorded(4);
    expect(await measured).toHaveLength(4);
    expect(order.slice(-8).join("")).toBe("ABBAABBA");
  });

  test("takes the median of the latencies and the CPU time that a contender returns", async () => {
    const contender: Contender = {
      run: async () => ({ wallMs: [3, 1, 500], cpuMicroseconds: 42 }),
    };
    const run: Run = {
      effort: { rounds: 1, sliceMs: 0 },
      signal: new AbortController().signal,
      progress: () => {},
    };
    const [first] = await measureRounds({ product: contender, peer: contender }, "wall", run);
    expect(first?.product).toEqual({ wall: 3_000, cpu: 42 });
  });

  test("takes the CPU time of the process that a contender names", async () => {
    let used = 0;
    const contender: Contender = {
      atLeast: 10,
      run: () => {
        used += 700;
        return undefined;
      },
      cpuMicroseconds: () => used,
    };
    const run: Run = {
      effort: { rounds: 1, sliceMs: 0 },
      signal: new AbortController().signal,
      progress: () => {},
    };
    const [first] = await measureRounds({ product: contender, peer: contender }, "wall", run);
    expect(first?.peer.cpu).toBe(70);
  });

  test("ends between two slices when the run is interrupted", async () => {
    const { order, measured } = recorded(4, AbortSignal.abort(new Error("interrupted")));
    await expect(measured).rejects.toThrow("interrupted");
    expect(order).toEqual([]);
  });
});
