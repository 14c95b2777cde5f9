import { measureRounds, summarise } from "./compare.ts";
import { NotMeasured } from "./not-measured.ts";
import type { ComparisonRow, Row, Run, SeriesRow } from "./row.ts";
import { type Measured, type RowResult, rowHead } from "./row-result.ts";
import { verdict } from "./verdict.ts";

type Outcome = Omit<Measured, "state" | "verdict" | "reason"> & {
  /** What else the goal asks for and does not hold. */
  readonly missing?: string | undefined;
};

/** Measures one row and holds the result against its goal. Never rejects: a failure is a result too. */
export async function measureRow(row: Row, run: Run): Promise<RowResult> {
  const head = rowHead(row);
  try {
    const { missing, ...outcome } = await measure(row, run);
    const isShort = verdict(row.goal, outcome.figure.median) === "short";
    if (!isShort && missing === undefined) {
      return { ...head, state: "measured", verdict: "ok", ...outcome };
    }
    const found = isShort ? (row.shortBecause ?? "reason not yet known") : undefined;
    const reason = [missing, found].filter((text) => text !== undefined).join("; ");
    return { ...head, state: "measured", verdict: "short", reason, ...outcome };
  } catch (error) {
    if (error instanceof NotMeasured) {
      return { ...head, state: "unavailable", reason: error.message };
    }
    const reason = error instanceof Error ? (error.stack ?? error.message) : String(error);
    return { ...head, state: "failed", reason };
  }
}

async function measure(row: Row, run: Run): Promise<Outcome> {
  if (row.kind === "comparison") return await measureComparison(row, run);
  if (row.kind === "figure") {
    const { missing, ...figure } = await row.measure(run);
    return { figure, missing };
  }
  return await measureSeries(row, run);
}

async function measureComparison(row: ComparisonRow, run: Run): Promise<Outcome> {
  const comparison = await row.open(run);
  try {
    const compared = summarise(await measureRounds(comparison, row.decides, run), row.figure);
    return { figure: compared[row.decides], compared, missing: await comparison.check?.() };
  } finally {
    await comparison.close?.();
  }
}

async function measureSeries(row: SeriesRow, run: Run): Promise<Outcome> {
  const points = await row.measure(run);
  const first = points[0]?.y.median ?? Number.NaN;
  const last = points.at(-1)?.y ?? { low: Number.NaN, median: Number.NaN, high: Number.NaN };
  const figure = { low: last.low / first, median: last.median / first, high: last.high / first };
  return { figure, points };
}
