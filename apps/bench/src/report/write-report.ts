import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { writeMarkdown } from "./markdown.ts";
import { plotGoals } from "./plot-goals.ts";
import { plotSeries } from "./plot-series.ts";
import type { Results } from "./results.ts";

/** Writes `performance.md`, `performance/results.json` and `performance/*.svg` into a folder, which is made if it is missing. */
export async function writeReport(folder: string, results: Results): Promise<void> {
  const inner = join(folder, "performance");
  await mkdir(inner, { recursive: true });
  await writeFile(join(inner, "results.json"), `${JSON.stringify(results, undefined, 2)}\n`);
  await writeFile(join(inner, "goals.svg"), plotGoals(results.rows));
  for (const row of results.rows) {
    if (row.state !== "measured" || row.points === undefined || row.plot === undefined) continue;
    const plot = plotSeries({ title: row.title, ...row.plot, points: row.points });
    await writeFile(join(inner, `${row.name}.svg`), plot);
  }
  await writeFile(join(folder, "performance.md"), writeMarkdown(results));
}
