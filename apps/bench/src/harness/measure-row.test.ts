import { describe, expect, test } from "vitest";
import { measureRow } from "./measure-row.ts";
import { NotMeasured } from "./not-measured.ts";
import type { Comparison, ComparisonRow, FigureRow, Run, SeriesRow } from "./row.ts";

const run: Run = {
  effort: { rounds: 1, sliceMs: 0 },
  signal: new AbortController().signal,
  progress: () => {},
};
const text = { name: "row", title: "title", against: "peer" };
const figureRow = (figure: number, shortBecause?: string): FigureRow => ({
  ...text,
  kind: "figure",
  unit: "MiB",
  goal: { limit: "at most", value: 250 },
  measure: async () => ({ low: figure, median: figure, high: figure }),
  ...(shortBecause === undefined ? {} : { shortBecause }),
});

// Both sides take no time: that the figure meets any goal is not what these tests are about.
function comparisonRow(comparison: Partial<Comparison>): ComparisonRow {
  const same = { run: async () => ({ wallMs: [1], cpuMicroseconds: 1 }) };
  return {
    ...text,
    kind: "comparison",
    figure: "cost",
    decides: "wall",
    goal: { limit: "at most", value: 1 },
    open: async () => ({ product: same, peer: same, ...comparison }),
  };
}

describe("measureRow", () => {
  test("reports a failure of the row as its result", async () => {
    const row = { ...figureRow(1), measure: async () => await Promise.reject(new Error("broken")) };
    const result = await measureRow(row, run);
    expect(result).toMatchObject({ name: "row", state: "failed" });
    expect(result.reason).toContain("broken");
  });

  test("reports what is missing on this machine, with the row's reason", async () => {
    const missing = async () => await Promise.reject(new NotMeasured("no PostgreSQL"));
    const result = await measureRow({ ...figureRow(1), measure: missing }, run);
    expect(result).toMatchObject({ state: "unavailable", reason: "no PostgreSQL" });
  });

  test("shows the reason that was found only if the row is short", async () => {
    expect(await measureRow(figureRow(251, "it copies"), run)).toMatchObject({
      state: "measured",
      verdict: "short",
      reason: "it copies",
    });
    expect(await measureRow(figureRow(251), run)).toMatchObject({
      reason: "reason not yet known",
    });
    const met = await measureRow(figureRow(250, "it copies"), run);
    expect(met).toMatchObject({ state: "measured", verdict: "ok" });
    expect(met.reason).toBeUndefined();
  });

  test("is short of what the check finds missing, also if the figure meets the goal", async () => {
    expect(await measureRow(comparisonRow({}), run)).toMatchObject({ verdict: "ok" });
    const row = comparisonRow({ check: () => "2 files were written" });
    expect(await measureRow(row, run)).toMatchObject({
      verdict: "short",
      reason: "2 files were written",
    });
  });

  test("closes what was opened, also after a failure", async () => {
    const closed: string[] = [];
    const close = () => void closed.push("closed");
    const failing = { run: async () => await Promise.reject(new Error("broken")) };
    const result = await measureRow(comparisonRow({ peer: failing, close }), run);
    expect(result.state).toBe("failed");
    expect(closed).toEqual(["closed"]);
  });

  test("takes growth from the first point to the last", async () => {
    const at = (x: number, y: number) => ({ x, y: { low: y / 2, median: y, high: y * 2 } });
    const row: SeriesRow = {
      ...text,
      kind: "series",
      time: "cpu",
      x: "tasks",
      y: "µs",
      goal: { limit: "at most", value: 1.2 },
      measure: async () => [at(10, 4), at(100, 9), at(1_000, 8)],
    };
    const result = await measureRow(row, run);
    expect(result).toMatchObject({ verdict: "short", figure: { low: 1, median: 2, high: 4 } });
  });
});
