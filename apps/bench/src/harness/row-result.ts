import type { Compared } from "./compare.ts";
import type { Goal, Point, Row } from "./row.ts";
import type { Quartiles } from "./statistics.ts";

/** What a row says of itself in the results. */
export interface RowHead {
  readonly name: string;
  readonly title: string;
  readonly against: string;
  readonly goal: Goal;
  /** What the figure is: `× the speed`, `× the cost`, `ms more`, or a unit. */
  readonly unit: string;
  /** Which time the figure is of. Absent: it is of none. */
  readonly decides?: "wall" | "cpu";
  readonly plot?: { readonly x: string; readonly y: string };
}

/** What came of a row that was measured. */
export interface Measured {
  readonly state: "measured";
  /** The figure that is held against the goal. */
  readonly figure: Quartiles;
  readonly verdict: "ok" | "short";
  /** Only if it is short. */
  readonly reason?: string;
  readonly compared?: Compared;
  readonly points?: readonly Point[];
}

/** What came of a row that was not. */
export interface Unmeasured {
  /** `skipped` and `unavailable` have a reason that the row knows; `failed` has an error. */
  readonly state: "skipped" | "unavailable" | "failed";
  readonly reason: string;
}

/** A row of the results. */
export type RowResult = RowHead & (Measured | Unmeasured);

/** Returns what the results say of a row, whatever comes of it. */
export function rowHead(row: Row): RowHead {
  const { name, title, against, goal } = row;
  const head = { name, title, against, goal, unit: unitOf(row) };
  if (row.kind === "comparison") return { ...head, decides: row.decides };
  if (row.kind === "figure") return head;
  return { ...head, decides: row.time, plot: { x: row.x, y: row.y } };
}

function unitOf(row: Row): string {
  if (row.kind === "figure") return row.unit;
  if (row.kind === "series") return "× from first to last";
  if (typeof row.figure === "object") return `${row.figure.extra} more`;
  return row.figure === "speed" ? "× the speed" : "× the cost";
}
