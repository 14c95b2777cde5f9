// Changes the source of an area at random places, one at a time, and runs the tests that reach the place: a change that no test notices is a
// guard without a test. Prints the survivors and a score for each area, and fails below 92 %.
//
//   pnpm mutants [AREA…] [--seed WORD] [--one-in N]
//
// The seed decides which mutants are tried, and is printed: the same seed tries the same ones. Works on a copy of the repository.
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { AREAS, type Area } from "./mutants/areas.ts";
import { copyWorkspace } from "./mutants/copy-workspace.ts";
import type { SampleOptions } from "./mutants/sample-checker.ts";

const LEAST_PERCENT = 92;
const STRYKER = join(
  fileURLToPath(import.meta.resolve("@stryker-mutator/core")),
  "../../../bin/stryker.js",
);
// A time-out kills, because a change that hangs fails the tests; on a busy machine it may be another program's doing.
const OUTCOMES: Readonly<Record<string, string>> = {
  Killed: "killed",
  Timeout: "timed out",
  Survived: "survived",
  NoCoverage: "not reached",
};
const root = join(import.meta.dirname, "../../..");

interface Result {
  readonly status: string;
  readonly mutatorName: string;
  readonly replacement?: string;
  readonly location: { readonly start: Place; readonly end: Place };
}

interface Place {
  readonly line: number;
  readonly column: number;
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { seed: { type: "string" }, "one-in": { type: "string" } },
});
const seed = values.seed ?? new Date().toISOString().slice(0, 10);
const names = positionals.length === 0 ? Object.keys(AREAS) : positionals;
const unknown = names.filter((name) => !Object.hasOwn(AREAS, name));
if (unknown.length > 0) {
  console.error(`no area ${unknown.join(", ")}; there are ${Object.keys(AREAS).join(", ")}`);
  process.exit(2);
}

const copy = realpathSync(mkdtempSync(join(tmpdir(), "countersign-mutants-")));
let isShort = false;
try {
  copyWorkspace(root, copy);
  console.log(`seed ${seed}`);
  for (const name of names) isShort = !tryArea(name, AREAS[name] as Area) || isShort;
} finally {
  rmSync(copy, { recursive: true, force: true, maxRetries: 3 });
}
if (isShort) process.exitCode = 1;

function tryArea(name: string, area: Area): boolean {
  const folder = join(copy, "packages", area.package);
  const oneIn = Number(values["one-in"] ?? area.oneIn);
  const sample = { seed, oneIn, folder };
  const report = join(copy, "mutants.json");
  writeFileSync(join(folder, "stryker.config.json"), configure(area, sample, report));
  const { status } = spawnSync(process.execPath, [STRYKER, "run", "stryker.config.json"], {
    cwd: folder,
    env: { ...process.env, NODE_OPTIONS: "", TEST_EFFORT: "quick" },
    stdio: ["ignore", "inherit", "inherit"],
  });
  if (status !== 0) {
    console.log(`${name}: Stryker failed`);
    return false;
  }
  return tellArea(name, area, report);
}

function configure(area: Area, sample: SampleOptions["sample"], report: string): string {
  const own = (file: string) => join(copy, "packages/testing/checks/mutants", file);
  return JSON.stringify({
    testRunner: "vitest",
    plugins: [
      fileURLToPath(import.meta.resolve("@stryker-mutator/vitest-runner")),
      own("sample-checker.ts"),
    ],
    checkers: ["sample"],
    sample,
    mutate: [...area.files, "!src/**/*.test.ts", "!src/**/index.ts"],
    inPlace: true,
    coverageAnalysis: "perTest",
    // What runs once when a module is loaded would need the whole suite for each mutant.
    ignoreStatic: true,
    // Examples are compared with the documents that quote them, so that nothing may be added to them.
    disableTypeChecks: false,
    // In processes: some tests change the umask, which threads cannot.
    vitest: { configFile: own("vitest.config.js"), related: false, pool: "forks" },
    // Stryker would rewrite it with a part of TypeScript that TypeScript 7 does not have.
    tsconfigFile: "no-tsconfig.json",
    concurrency: 1,
    timeoutMS: 30_000,
    dryRunTimeoutMinutes: 30,
    reporters: ["json"],
    jsonReporter: { fileName: report },
    allowConsoleColors: false,
    logLevel: "warn",
    warnings: { unknownOptions: false },
  });
}

function tellArea(name: string, area: Area, report: string): boolean {
  const { files } = JSON.parse(readFileSync(report, "utf8"));
  let killed = 0;
  let timedOut = 0;
  let tried = 0;
  for (const [file, { mutants, source }] of Object.entries<{ mutants: Result[]; source: string }>(
    files,
  )) {
    for (const mutant of mutants) {
      const outcome = OUTCOMES[mutant.status];
      if (outcome === undefined) continue;
      tried += 1;
      if (outcome !== "survived" && outcome !== "not reached") killed += 1;
      if (outcome === "timed out") timedOut += 1;
      if (outcome !== "killed")
        console.log(`  ${outcome} ${describe(`packages/${area.package}/${file}`, source, mutant)}`);
    }
  }
  const percent = tried === 0 ? 0 : (100 * killed) / tried;
  console.log(
    `${name}: ${killed} of ${tried} killed, ${percent.toFixed(0)} %, ${timedOut} of them by a time-out\n`,
  );
  return percent >= LEAST_PERCENT;
}

function describe(file: string, source: string, mutant: Result): string {
  const { start, end } = mutant.location;
  const lines = source.split("\n").slice(start.line - 1, end.line);
  const last = lines.length - 1;
  lines[last] = (lines[last] as string).slice(0, end.column - 1);
  lines[0] = (lines[0] as string).slice(start.column - 1);
  const short = (text: string) => text.replace(/\s+/g, " ").slice(0, 100);
  return `${file}:${start.line} ${mutant.mutatorName}: ${short(lines.join(" "))} => ${short(mutant.replacement ?? "")}`;
}
