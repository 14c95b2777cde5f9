import { scaleLog } from "d3-scale";
import type { Measured, RowResult } from "../harness/row-result.ts";
import { round, svgDocument, svgLine, svgText } from "./svg.ts";

const WIDTH = 860;
const LEFT = 380;
const RIGHT = 40;
const TOP = 64;
const ROW_HEIGHT = 22;
const COLOURS = { ok: "#2a7f3f", short: "#b03a2e" } as const;
const FURTHEST = 10;

/** Draws each measured row as a share of its goal: right of the line is better than the goal. */
export function plotGoals(rows: readonly RowResult[]): string {
  const measured = rows.filter((row) => row.state === "measured");
  const height = TOP + Math.max(measured.length, 1) * ROW_HEIGHT + 24;
  const across = scaleLog()
    .domain([1 / FURTHEST, FURTHEST])
    .range([LEFT, WIDTH - RIGHT])
    .clamp(true);
  const ticks = [0.1, 0.2, 0.5, 1, 2, 5, 10].flatMap((tick) => [
    svgLine(across(tick), TOP - 8, across(tick), height - 16, tick === 1 ? "#222" : "#ddd"),
    svgText(across(tick), TOP - 14, tickText(tick), "middle"),
  ]);
  const title = "Each row against its goal";
  return svgDocument(WIDTH, height, title, [
    svgText(12, 24, title, "start", 'font-weight="bold" font-size="14"'),
    svgText(WIDTH - RIGHT, 24, "better than the goal →", "end"),
    ...ticks,
    ...measured.flatMap((row, at) => drawRow(row, across, TOP + at * ROW_HEIGHT + 12)),
  ]);
}

function tickText(tick: number): string {
  if (tick === 1) return "goal";
  if (tick === FURTHEST) return `≥ × ${tick}`;
  return tick === 1 / FURTHEST ? `≤ × ${tick}` : `× ${tick}`;
}

function drawRow(
  row: RowResult & Measured,
  across: (share: number) => number,
  y: number,
): readonly string[] {
  const { low, median, high } = row.figure;
  const at = (figure: number) => across(shareOf(row, figure));
  const colour = COLOURS[row.verdict];
  return [
    svgText(12, y + 4, row.title),
    `<line x1="${round(at(low))}" y1="${y}" x2="${round(at(high))}" y2="${y}" stroke="${colour}" stroke-width="3" stroke-opacity="0.5"/>`,
    `<circle cx="${round(at(median))}" cy="${y}" r="4" fill="${colour}"/>`,
  ];
}

// 1 is the goal, 2 twice as good. What costs nothing or less is drawn at the right edge.
function shareOf({ goal }: RowResult, figure: number): number {
  if (goal.limit === "at least") return Math.max(figure / goal.value, 1 / FURTHEST);
  if (figure <= 0) return FURTHEST;
  return Math.max(goal.value / figure, 1 / FURTHEST);
}
