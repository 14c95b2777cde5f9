// Prints how the source is laid out: import cycles and broken walls (both must be 0), the fullest folders, the names that each entry of a package
// exports, the lines of source, tests apart, and the protocol's terms that a file or folder is named by. Ends with 1 if there is a cycle or a broken
// wall, or if a term is not found.
//
//   pnpm structure
import { execFileSync, spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { entriesOf, publicPackages } from "./api-reports/package-entries.ts";
import { PROTOCOL_TERMS, termsNotFound } from "./structure/protocol-terms.ts";

const ROOT = join(import.meta.dirname, "../../..");
const FULLEST = 12;

const cycles = violationsOf("suspicious/noImportCycles");
const walls = violationsOf("style/noRestrictedImports");
console.log(`import cycles: ${cycles}\nbroken walls: ${walls}`);

const tracked = execFileSync("git", ["ls-files", "-z"], { cwd: ROOT, encoding: "utf8" });
const files = tracked.split("\0");
const sources = files.filter((file) => /^(apps|packages)\/[^/]+\/src\/.*\.ts$/.test(file));
const byFolder = Map.groupBy(sources, dirname);
const fullest = [...byFolder].sort(([, a], [, b]) => b.length - a.length).slice(0, FULLEST);
console.log(`\nfiles per folder, the ${FULLEST} fullest of ${byFolder.size}:`);
for (const [folder, files] of fullest) printRow(files.length, folder);

console.log("\nnames per entry:");
for (const { specifier, report } of publicPackages(ROOT).flatMap(entriesOf)) {
  printRow(readFileSync(report, "utf8").match(/^export /gm)?.length ?? 0, specifier);
}

console.log("\nlines of source:");
const code = sources.filter((file) => !file.endsWith(".test.ts"));
let total = 0;
for (const [name, files] of Map.groupBy(code, (file) => file.split("/", 2).join("/"))) {
  const lines = files.reduce((sum, file) => sum + linesOf(file), 0);
  printRow(lines, name);
  total += lines;
}
printRow(total, "in all");

const notFound = termsNotFound(PROTOCOL_TERMS, files);
const found = PROTOCOL_TERMS.length - notFound.length;
console.log(`\nprotocol terms found at the first guess: ${found} of ${PROTOCOL_TERMS.length}`);
for (const term of notFound) console.log(`  ${term}`);
process.exitCode = cycles + walls + notFound.length === 0 ? 0 : 1;

function violationsOf(rule: string): number {
  const args = ["exec", "biome", "lint", ".", `--only=${rule}`, "--reporter=json"];
  const { stdout, error } = spawnSync("pnpm", args, { cwd: ROOT, encoding: "utf8" });
  if (error !== undefined) throw error;
  const { summary } = JSON.parse(stdout);
  return summary.errors;
}

function linesOf(file: string): number {
  return readFileSync(join(ROOT, file), "utf8").split("\n").length - 1;
}

function printRow(count: number, what: string): void {
  console.log(`${String(count).padStart(6)}  ${what}`);
}
