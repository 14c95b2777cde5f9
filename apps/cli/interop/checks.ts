import { isDeepStrictEqual } from "node:util";

/** Compares what was seen with what must be, prints a line for each, and counts. */
export class Checks {
  passed = 0;
  failed = 0;

  /** One comparison; both sides are shown when they differ. */
  equal(what: string, actual: unknown, expected: unknown): void {
    if (isDeepStrictEqual(actual, expected)) {
      this.passed += 1;
      console.log(`ok   ${what}`);
      return;
    }
    this.failed += 1;
    console.log(
      `FAIL ${what}\n     expected ${JSON.stringify(expected)}\n     actual   ${JSON.stringify(actual)}`,
    );
  }
}
