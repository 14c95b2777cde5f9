import type { RowResult } from "../harness/row-result.ts";
import {
  formatBeside,
  formatEach,
  formatGoal,
  formatResult,
  formatVerdict,
} from "./format-figure.ts";

const HEAD = ["row", "result", "beside it", "ours; other", "goal", ""];

/** Returns the table for a terminal, and the reasons below it. */
export function printTable(rows: readonly RowResult[]): string {
  const lines = rows.map((row) => [
    row.name,
    formatResult(row),
    formatBeside(row),
    formatEach(row),
    formatGoal(row),
    formatVerdict(row),
  ]);
  const all = [HEAD, ...lines];
  const widths = HEAD.map((_, column) => Math.max(...all.map((line) => line[column]?.length ?? 0)));
  const table = all.map((line) =>
    line
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join("  ")
      .trimEnd(),
  );
  const reasons = rows.flatMap((row) =>
    row.reason === undefined ? [] : [`${row.name}: ${formatVerdict(row)}: ${row.reason}`],
  );
  const key = "Medians, quartiles in brackets. The result is held against the goal.";
  return [...table, "", key, ...(reasons.length > 0 ? ["", ...reasons] : [])].join("\n");
}
