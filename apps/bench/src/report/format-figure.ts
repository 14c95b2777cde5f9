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

/** Writes the wall time's and the CPU time's figures. One is empty if the row has one figure alone. */
export function formatTimes(row: RowResult): { readonly wall: string; readonly cpu: string } {
  if (row.state !== "measured") return { wall: "", cpu: "" };
  const { compared, figure } = row;
  if (compared === undefined) return { wall: formatQuartiles(figure), cpu: "" };
  const { wall, cpu } = compared;
  return { wall: formatQuartiles(wall), cpu: formatQuartiles(cpu) };
}
