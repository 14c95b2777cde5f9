/** The bench: measures every row, one after the other, and writes what it found. `pnpm bench --help` says the rest. */
import { HELP, parseBenchOptions } from "./bench-options.ts";
import { runRow } from "./harness/row-process.ts";
import type { RowResult } from "./harness/row-result.ts";
import { createProgress } from "./progress.ts";
import { formatQuartiles, formatVerdict } from "./report/format-figure.ts";
import { readMachine } from "./report/machine.ts";
import { printTable } from "./report/print-table.ts";
import { withoutStacks } from "./report/results.ts";
import { writeReport } from "./report/write-report.ts";
import { ROWS } from "./row-list.ts";

try {
  process.exitCode = await bench();
} catch (error) {
  console.error(`error: ${error instanceof Error ? error.message : error}\n\n${HELP}`);
  process.exitCode = 2;
}

async function bench(): Promise<number> {
  const options = parseBenchOptions(process.argv.slice(2), ROWS);
  if (options.help || options.list) {
    console.log(options.help ? HELP : ROWS.join("\n"));
    return 0;
  }
  const interruption = new AbortController();
  const interrupt = () => interruption.abort();
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, interrupt);
  const progress = createProgress(process.stderr);
  const results: RowResult[] = [];
  for (const [at, name] of options.rows.entries()) {
    const label = `[${at + 1}/${options.rows.length}] ${name}`;
    progress.update(label);
    const result = await runRow(name, {
      ...options,
      signal: interruption.signal,
      progress: (text) => progress.update(`${label}: ${text}`),
    });
    if (interruption.signal.aborted) {
      progress.done(`${label}: interrupted`);
      if (results.length > 0) console.log(printTable(results));
      return 130;
    }
    if (result === undefined) throw new Error(`the process of ${name} ended without a result`);
    results.push(result);
    const figure = result.state === "measured" ? `${formatQuartiles(result.figure)} ` : "";
    progress.done(`${label}: ${figure}${formatVerdict(result)}`);
  }
  console.log(printTable(results));
  const { effort, quick, out } = options;
  await writeReport(out, {
    format: "countersign.performance/1",
    machine: readMachine(),
    effort: { ...effort, quick },
    rows: withoutStacks(results),
  });
  console.error(`written to ${out}`);
  return results.some((result) => result.state === "failed") ? 1 : 0;
}
