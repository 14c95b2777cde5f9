import type { RowResult } from "../harness/row-result.ts";
import type { Quartiles } from "../harness/statistics.ts";

/** Writes a figure with as many digits as a reader can use. */
export function formatNumber(value: number): string {
  const size = Math.abs(value);
  if (size >= 1_000) return Math.round(value).toLocaleString("en-US");
  if (size >= 100) return value.toFixed(0);
  if (size >= 10) return value.toFixed(1);
  return value.toFixed(size < 0.1 && size > 0 ? 3 : 2);
}

/** Writes a median with its quartiles. */
export function formatQuartiles({ low, median, high }: Quartiles): string {
  return `${formatNumber(median)} (${formatNumber(low)} to ${formatNumber(high)})`;
}

/** Writes a row's goal with its unit. */
export function formatGoal({ goal, unit }: RowResult): string {
  return `${goal.limit === "at least" ? "≥" : "≤"} ${goal.value.toLocaleString("en-US")} ${unit}`;
}

/** Writes what became of a row in one word. */
export function formatVerdict(row: RowResult): string {
  if (row.state === "measured") return row.verdict;
  return row.state === "failed" ? "failed" : "not measured";
}

const TIMES = { wall: "wall", cpu: "CPU" } as const;

/** Writes the figure that is held against the goal, and which time it is of. */
export function formatResult(row: RowResult): string {
  if (row.state !== "measured") return "";
  const figure = formatQuartiles(row.figure);
  return row.decides === undefined ? figure : `${figure}, ${TIMES[row.decides]}`;
}

/** Writes the same figure of the other time, if there is one. */
export function formatBeside(row: RowResult): string {
  if (row.state !== "measured" || row.compared === undefined) return "";
  const other = row.decides === "cpu" ? "wall" : "cpu";
  return `${formatQuartiles(row.compared[other])}, ${TIMES[other]}`;
}

/** Writes what one unit of work takes: the product, then the other side. */
export function formatEach(row: RowResult): string {
  if (row.state !== "measured" || row.compared === undefined) return "";
  const { product, peer } = row.compared.medians;
  const time = row.decides ?? "wall";
  return `${formatMicroseconds(product[time])}; ${formatMicroseconds(peer[time])}`;
}

function formatMicroseconds(value: number): string {
  return value >= 1_000 ? `${formatNumber(value / 1_000)} ms` : `${formatNumber(value)} µs`;
}
