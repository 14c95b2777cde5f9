import type { RowResult } from "../harness/row-result.ts";
import { formatGoal, formatTimes, formatVerdict } from "./format-figure.ts";

const HEAD = ["row", "wall", "CPU", "goal", ""];

/** Returns the table for a terminal, and the reasons below it. The time that decides is marked with `*`. */
export function printTable(rows: readonly RowResult[]): string {
  const lines = rows.map((row) => {
    const { wall, cpu } = formatTimes(row);
    const mark = (time: "wall" | "cpu", text: string) =>
      text !== "" && (row.decides ?? "wall") === time ? `${text} *` : text;
    return [row.name, mark("wall", wall), mark("cpu", cpu), formatGoal(row), formatVerdict(row)];
  });
  const all = [HEAD, ...lines];
  const widths = HEAD.map((_, column) => Math.max(...all.map((line) => line[column]?.length ?? 0)));
  const table = all.map((line) =>
    line
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join("  ")
      .trimEnd(),
  );
  const reasons = rows.flatMap((row) => {
    const reason = row.state === "measured" ? row.reason : row.reason;
    return reason === undefined ? [] : [`${row.name}: ${formatVerdict(row)}: ${reason}`];
  });
  const key = "* this time is held against the goal; medians of the rounds, quartiles in brackets";
  return [...table, "", key, ...(reasons.length > 0 ? ["", ...reasons] : [])].join("\n");
}
