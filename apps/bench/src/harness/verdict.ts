import type { Goal } from "./row.ts";

/** Says whether a figure meets its goal. A figure that is not a number does not. */
export function verdict(goal: Goal, figure: number): "ok" | "short" {
  const meets = goal.limit === "at least" ? figure >= goal.value : figure <= goal.value;
  return meets ? "ok" : "short";
}
