import type { Effort } from "../harness/row.ts";
import type { RowResult } from "../harness/row-result.ts";
import type { Machine } from "./machine.ts";

/** What a run found, as `results.json` holds it. */
export interface Results {
  readonly format: "countersign.performance/1";
  readonly machine: Machine;
  readonly effort: Effort & { readonly quick: boolean };
  /** A run of selected rows holds those alone. */
  readonly rows: readonly RowResult[];
}

/** Leaves out of errors what is for the terminal alone: a stack names files of this machine. */
export function withoutStacks(rows: readonly RowResult[]): RowResult[] {
  return rows.map((row) =>
    row.state === "failed" ? { ...row, reason: row.reason.split("\n", 1)[0] ?? "" } : row,
  );
}
