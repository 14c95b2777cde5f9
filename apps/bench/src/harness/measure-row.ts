import { measureRounds, summarise } from "./compare.ts";
import { NotMeasured } from "./not-measured.ts";
import type { ComparisonRow, Row, Run, SeriesRow } from "./row.ts";
import { type Measured, type RowResult, rowHead } from "./row-result.ts";
import { verdict } from "./verdict.ts";

type Outcome = Omit<Measured, "state" | "verdict" | "reason">;

/** Measures one row and holds the result against its goal. Never rejects: a failure is a result too. */
export async function measureRow(row: Row, run: Run): Promise<RowResult> {
  const head = rowHead(row);
  try {
    const outcome = await measure(row, run);
    const found = verdict(row.goal, outcome.figure.median);
    if (found === "ok") return { ...head, state: "measured", verdict: found, ...outcome };
    const reason = row.shortBecause ?? "reason not yet known";
    return { ...head, state: "measured", verdict: found, reason, ...outcome };
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
  if (row.kind === "figure") return { figure: await row.measure(run) };
  return await measureSeries(row, run);
}

async function measureComparison(row: ComparisonRow, run: Run): Promise<Outcome> {
  const comparison = await row.open(run);
  try {
    const compared = summarise(await measureRounds(comparison, run), row.figure);
    return { figure: compared[row.decides], compared };
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
