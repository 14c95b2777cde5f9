// Compares what every entry of every public package exports with its committed report, `packages/*/api/*.api.md`. The packages must have been
// built. Prints the difference of each report that does not match, then `N passed, M failed`.
//
//   node packages/testing/checks/api-reports.ts [--accept] [--root DIR]
//
// With --accept it writes the reports instead.
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { parseArgs } from "node:util";
import { createTwoFilesPatch } from "diff";
import { describeExports } from "./api-reports/describe-exports.ts";
import { entriesOf, publicPackages, REPORTS } from "./api-reports/package-entries.ts";

const ACCEPT = 'npx -y -p pnpm@12.21.0 -c "pnpm api:accept"';
const { values: options } = parseArgs({
  options: {
    accept: { type: "boolean", default: false },
    root: { type: "string", default: join(import.meta.dirname, "../../..") },
  },
});
const { accept, root } = options;

const folders = publicPackages(root);
const entries = folders.flatMap(entriesOf);
const { compilerOptions } = JSON.parse(readFileSync(join(root, "tsconfig.base.json"), "utf8"));
const texts = describeExports(entries, compilerOptions);
const expected = new Map(entries.map(({ report }, index) => [report, texts[index] as string]));
const committed = folders.flatMap(committedReports);

const reports = new Set([...expected.keys(), ...committed]);
let failed = 0;
for (const report of reports) {
  const before = existsSync(report) ? readFileSync(report, "utf8") : "";
  const now = expected.get(report) ?? "";
  if (before === now) continue;
  if (accept) {
    save(report, now);
    continue;
  }
  failed += 1;
  const name = relative(root, report);
  console.log(`FAIL ${name}`);
  console.log(createTwoFilesPatch(name, name, before, now, "committed", "built", { context: 4 }));
}

if (failed > 0) {
  console.log(`What these packages export is not what their reports say. If the change is meant: ${ACCEPT},
then commit the reports together with a changeset. A removed or changed export is a breaking change.
`);
}
console.log(`api reports: ${reports.size - failed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;

function committedReports(folder: string): string[] {
  const reports = join(folder, REPORTS);
  return existsSync(reports) ? readdirSync(reports).map((name) => join(reports, name)) : [];
}

function save(report: string, text: string): void {
  mkdirSync(dirname(report), { recursive: true });
  if (text === "") rmSync(report);
  else writeFileSync(report, text);
}
