/**
 * How much work the tests do. `quick` is for the loop of a developer; `full` is what a change must pass. Both run every test: they differ in
 * how often a test repeats what it does, and in what tests share.
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
