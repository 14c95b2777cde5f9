import { describe, expect, test } from "vitest";
import type { RowResult } from "../harness/row-result.ts";
import { formatGoal, formatNumber } from "./format-figure.ts";
import { writeMarkdown } from "./markdown.ts";
import { plotGoals } from "./plot-goals.ts";
import { plotSeries } from "./plot-series.ts";
import { printTable } from "./print-table.ts";
import { type Results, withoutStacks } from "./results.ts";

const head = {
  against: "peer",
  goal: { limit: "at most", value: 1.2 },
  unit: "× the cost",
} as const;
const quartiles = (median: number) => ({ low: median / 2, median, high: median * 2 });
const rows: readonly RowResult[] = [
  {
    ...head,
    name: "compared",
    title: "a compared row",
    decides: "cpu",
    state: "measured",
    verdict: "ok",
    figure: quartiles(1.1),
    compared: {
      cpu: quartiles(1.1),
      wall: quartiles(3),
      medians: { product: { wall: 2, cpu: 33 }, peer: { wall: 1, cpu: 1_500 } },
    },
  },
  {
    ...head,
    name: "growing",
    title: "a growing row",
    decides: "cpu",
    state: "measured",
    verdict: "short",
    reason: "it reads all of them",
    figure: quartiles(7),
    plot: { x: "threads", y: "µs" },
    points: [
      { x: 10, y: quartiles(5) },
      { x: 100_000, y: quartiles(35) },
    ],
  },
  { ...head, name: "skipped", title: "a skipped row", state: "skipped", reason: "too long" },
  {
    ...head,
    name: "failed",
    title: "a failed row",
    state: "failed",
    reason: "Error: broken\n    at /somewhere/of/this/machine.ts",
  },
];
const results: Results = {
  format: "countersign.performance/1",
  machine: {
    cpu: "a processor",
    cores: 2,
    memoryGiB: 8,
    platform: "linux x64",
    node: "v24.0.0",
    date: "2026-01-01",
  },
  effort: { rounds: 4, sliceMs: 10, quick: true },
  rows,
};

describe("formatNumber", () => {
  test.each([
    [0, "0.00"],
    [0.0123, "0.012"],
    [-1.234, "-1.23"],
    [67.24, "67.2"],
    [545.4, "545"],
    [12_345.6, "12,346"],
  ])("writes %d as %s", (value, text) => {
    expect(formatNumber(value)).toBe(text);
  });
});

describe("table", () => {
  test("names for each result its time, with the other time beside it", () => {
    const [, compared, growing] = printTable(rows).split("\n");
    expect(compared).toMatch(
      /^compared +1\.10 \(0\.55 to 2\.20\), CPU +3\.00 \(.*\), wall +33\.0 µs; 1\.50 ms/,
    );
    expect(growing).toMatch(/^growing +7\.00 \(3\.50 to 14\.0\), CPU +≤ 1\.2 × the cost +short$/);
  });

  test("gives the reason of each row that is short or was not measured", () => {
    const table = printTable(rows);
    expect(table).toContain("growing: short: it reads all of them");
    expect(table).toContain("skipped: not measured: too long");
    expect(table).toContain("failed: failed: Error: broken");
  });

  test("writes the goal with its direction", () => {
    const [row] = rows;
    if (row === undefined) throw new Error("no row");
    expect(formatGoal({ ...row, goal: { limit: "at least", value: 100 } })).toBe(
      "≥ 100 × the cost",
    );
  });
});

describe("page", () => {
  const page = writeMarkdown(results);

  test("has a line for each row, with as many cells as the head, none of them long", () => {
    const lines = page.split("\n").filter((line) => line.startsWith("|"));
    expect(lines).toHaveLength(2 + rows.length);
    for (const line of lines) {
      const cells = line.split("|").slice(1, -1);
      expect(cells).toHaveLength(7);
      expect(Math.max(...cells.map((cell) => cell.length))).toBeLessThan(200);
    }
    expect(page).toContain("4 rows: 1 ok, 1 short of the goal, 2 not measured.");
  });

  test("says where cost grows, with its plot", () => {
    expect(page).toContain("µs: from 5.00 at 10 to 35.0 at 100,000 (threads).");
    expect(page).toContain("(performance/growing.svg)");
    expect(page).not.toContain("(performance/compared.svg)");
  });

  test("shows of an error its message and no stack, which names files of the machine", () => {
    const shown = writeMarkdown({ ...results, rows: withoutStacks(rows) });
    expect(shown).toContain("**a failed row** (failed): Error: broken\n");
    expect(shown).not.toContain("somewhere");
  });
});

describe("plots", () => {
  test("of the goals draw each measured row, within the frame", () => {
    const plot = plotGoals(rows);
    expect(plot.match(/<circle/g)).toHaveLength(2);
    expect(plot).not.toContain("NaN");
    expect(plot).not.toContain("a skipped row");
  });

  test("of the goals can be drawn of nothing", () => {
    expect(plotGoals([])).not.toContain("NaN");
  });

  test("of a series draw each point and escape their texts", () => {
    const plot = plotSeries({
      title: "a < b & c",
      x: "threads",
      y: "µs",
      points: [
        { x: 10, y: quartiles(5) },
        { x: 1_000, y: quartiles(5) },
      ],
    });
    expect(plot.match(/<circle/g)).toHaveLength(2);
    expect(plot).toContain("a &lt; b &amp; c");
    expect(plot).not.toContain("NaN");
  });
});
