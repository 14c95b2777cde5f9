import type { RowResult } from "../harness/row-result.ts";
import {
  formatBeside,
  formatEach,
  formatGoal,
  formatNumber,
  formatResult,
  formatVerdict,
} from "./format-figure.ts";
import type { Results } from "./results.ts";

/** Writes the page of a run: how it was measured, the table, the reasons of short rows, and the plots. */
export function writeMarkdown(results: Results): string {
  const { rows } = results;
  return [
    "# Performance",
    "",
    "<!-- Written by `pnpm bench`. Change `apps/bench`, not this file. -->",
    "",
    ...summary(rows),
    "",
    ...howMeasured(results),
    "",
    "## Results",
    "",
    "| row | compared with | result | beside it | ours; other | goal | verdict |",
    "|---|---|---|---|---|---|---|",
    ...rows.map(tableLine),
    "",
    "![Each row against its goal](performance/goals.svg)",
    "",
    ...reasons(rows),
    ...growth(rows),
  ]
    .join("\n")
    .trimEnd()
    .concat("\n");
}

function summary(rows: readonly RowResult[]): string[] {
  const count = (verdict: string) => rows.filter((row) => formatVerdict(row) === verdict).length;
  const line = `${rows.length} rows: ${count("ok")} ok, ${count("short")} short of the goal`;
  const missing = count("not measured") + count("failed");
  return [missing === 0 ? `${line}.` : `${line}, ${missing} not measured.`];
}

function howMeasured({ machine, effort }: Results): string[] {
  const { cpu, cores, memoryGiB, platform, node, commit, date } = machine;
  const at = commit === undefined ? "" : `, commit ${commit}`;
  return [
    "## How it was measured",
    "",
    `${cpu}, ${cores} cores, ${memoryGiB} GiB, ${platform}, Node ${node}${at}, ${date}. ` +
      `${effort.rounds} rounds with slices of about ${effort.sliceMs} ms${effort.quick ? " (`--quick`)" : ""}.`,
    "",
    "- Each row runs in a process of its own and is warmed before it counts.",
    "- The two sides of a row run in turn, in slices: A B, B A, A B, … Each round gives one figure, and the table shows the median of these",
    "  figures, with the quartiles in brackets. Load of other programs hits both sides of a round alike.",
    "- CPU time is that of the process under test, its other threads included. It stands beside the wall time because it says more on a busy",
    "  machine. The result is held against the goal, and says which time it is of; the other time stands beside it.",
    "- *× the speed* is the other side's time divided by ours: 2 is twice as fast. *× the cost* is our time divided by the other side's: 1.05",
    "  is 5 % more. *ours; other* are the medians of what one unit of work takes on either side. If a row sends requests one by one, a slice",
    "  gives the median of their latencies.",
    "- Both sides do equal work; each file in `apps/bench/src/rows` says what makes its row fair.",
    "",
    'To repeat it: `npx -y -p pnpm@12.21.0 -c "pnpm bench"` (about a quarter of an hour), or `pnpm bench --quick` (less than one). `pnpm bench --help`',
    "shows how to select rows. The figures are in [results.json](performance/results.json) too.",
  ];
}

function tableLine(row: RowResult): string {
  const cells = [
    row.title,
    row.against,
    formatResult(row),
    formatBeside(row),
    formatEach(row),
    formatGoal(row),
    formatVerdict(row),
  ];
  return `| ${cells.join(" | ")} |`;
}

function reasons(rows: readonly RowResult[]): string[] {
  const lines = rows.flatMap((row) =>
    row.reason === undefined ? [] : [`- **${row.title}** (${formatVerdict(row)}): ${row.reason}`],
  );
  return lines.length === 0 ? [] : ["## Short or not measured", "", ...lines, ""];
}

function growth(rows: readonly RowResult[]): string[] {
  const plots = rows.flatMap((row) => {
    if (row.state !== "measured" || row.points === undefined) return [];
    const last = row.points.at(-1);
    const first = row.points[0];
    if (first === undefined || last === undefined) return [];
    const change = `from ${formatNumber(first.y.median)} at ${first.x.toLocaleString("en-US")} to ${formatNumber(last.y.median)} at ${last.x.toLocaleString("en-US")}`;
    return [
      `### ${row.title}`,
      "",
      `${row.plot?.y ?? ""}: ${change} (${row.plot?.x ?? ""}).`,
      "",
      `![${row.title}](performance/${row.name}.svg)`,
      "",
    ];
  });
  if (plots.length === 0) return [];
  const intro =
    "Cost may grow with data only where a row here says so. Everything else costs the same with any number of tasks, threads and identities.";
  return ["## Where cost grows", "", intro, "", ...plots];
}
