import { join } from "node:path";
import { parseArgs } from "node:util";
import type { Effort } from "./harness/row.ts";

export const HELP = `Measures what the documents promise, and holds each row against its goal.

  pnpm bench [--quick] [--rows PATTERN] [--out DIR] [--rounds N] [--slice-ms N] [--list] [--help]

  --quick         less than a minute: fewer and shorter slices, and no row that needs longer
  --rows PATTERN  only the rows whose name contains a match of this regular expression
  --out DIR       where performance.md, performance/results.json and performance/*.svg go. Default: docs for a
                  full run of all rows; otherwise apps/bench/results, which git ignores
  --rounds N      rounds of each row: one slice of either side, in turn. Default 40; with --quick 15
  --slice-ms N    how long a slice takes, about. Default 30; with --quick 10
  --list          prints the names of the rows

The table is on standard output, progress on standard error. Exit 0 if every row that this run holds was measured,
also if it is short of its goal; 1 if a row failed; 2 for a wrong option; 130 after Ctrl-C, with nothing written.`;

/** What a run of the bench is asked to do. */
export interface BenchOptions {
  readonly help: boolean;
  readonly list: boolean;
  readonly quick: boolean;
  readonly rows: readonly string[];
  /** Absolute, or relative to the working directory. */
  readonly out: string;
  readonly effort: Effort;
}

const ROOT = join(import.meta.dirname, "../../..");

/**
 * Reads the command line.
 *
 * @throws {TypeError | RangeError | SyntaxError} if an option is unknown or wrong
 */
export function parseBenchOptions(argv: readonly string[], names: readonly string[]): BenchOptions {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      quick: { type: "boolean", default: false },
      rows: { type: "string" },
      out: { type: "string" },
      rounds: { type: "string" },
      "slice-ms": { type: "string" },
      list: { type: "boolean", default: false },
      help: { type: "boolean", default: false },
    },
  });
  const { quick, help, list } = values;
  const pattern = new RegExp(values.rows ?? "");
  const rows = names.filter((name) => pattern.test(name));
  if (rows.length === 0) throw new RangeError(`--rows ${values.rows}: no row has such a name`);
  const isWhole = !quick && rows.length === names.length;
  return {
    help,
    list,
    quick,
    rows,
    out: values.out ?? join(ROOT, isWhole ? "docs" : "apps/bench/results"),
    effort: {
      rounds: positive("--rounds", values.rounds, quick ? 15 : 40),
      sliceMs: positive("--slice-ms", values["slice-ms"], quick ? 10 : 30),
    },
  };
}

function positive(option: string, text: string | undefined, otherwise: number): number {
  if (text === undefined) return otherwise;
  const value = Number(text);
  if (Number.isInteger(value) && value > 0) return value;
  throw new RangeError(`${option} must be an integer from 1 up, got ${text}`);
}
