import { createHash, randomInt } from "node:crypto";

/**
 * How much work the tests do. `quick` is for the loop of a developer; `full` is what a change must pass. Both run every test: they differ in
 * how often a test repeats what it does, which rows of a long table it takes, and in what tests share.
 */
export type Effort = "quick" | "full";

const PROPERTY_DIVISOR = 10;

/**
 * Reads an effort, as `TEST_EFFORT` gives it.
 *
 * @param value - if it is missing or empty: `quick`
 * @throws {TypeError} if it is another word
 */
export function parseEffort(value: string | undefined): Effort {
  if (value === undefined || value === "") return "quick";
  if (value !== "quick" && value !== "full") {
    throw new TypeError(`TEST_EFFORT must be quick or full, got ${JSON.stringify(value)}`);
  }
  return value;
}

/** The effort of this process's tests. */
export const effort = parseEffort(process.env.TEST_EFFORT);

/** @returns the amount of this effort, e.g. of rounds, processes or seconds */
export function byEffort(full: number, quick: number, at: Effort = effort): number {
  return at === "full" ? full : quick;
}

/** @returns the runs of a property test that makes `full` runs in the full effort: a tenth of them in the quick one, at least one */
export function propertyRuns(full: number, at: Effort = effort): number {
  return byEffort(full, Math.ceil(full / PROPERTY_DIVISOR), at);
}

/** What {@link sampleRows} may be told. */
export interface SampleOptions {
  /** Default: the number in `TEST_SEED`, else a new one. */
  readonly seed?: number;
  /** Default: that of this process's tests. */
  readonly at?: Effort;
  /** Takes the line that says what is left out. Default: standard output. */
  readonly print?: (line: string) => void;
}

/**
 * Returns the rows of a table that a test takes: all of them in the full effort; in the quick one `quick` of them, in their order. Prints how
 * many those are, and the seed that chose them.
 *
 * @param name - of the rows, in the plural
 */
export function sampleRows<Row>(
  name: string,
  rows: readonly Row[],
  quick: number,
  options: SampleOptions = {},
): readonly Row[] {
  const { at = effort, print = console.log } = options;
  if (at === "full" || rows.length <= quick) return rows;
  const seed = options.seed ?? Number(process.env.TEST_SEED ?? randomInt(2 ** 31));
  const rankOf = (index: number) => createHash("sha256").update(`${seed} ${index}`).digest("hex");
  const ranked = rows.map((row, index) => ({ row, index, rank: rankOf(index) }));
  ranked.sort((a, b) => (a.rank < b.rank ? -1 : 1));
  print(`quick effort: ${quick} of ${rows.length} ${name}: TEST_SEED=${seed}`);
  return ranked
    .slice(0, quick)
    .sort((a, b) => a.index - b.index)
    .map(({ row }) => row);
}
