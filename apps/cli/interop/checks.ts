import { isDeepStrictEqual } from "node:util";

/** Compares what was seen with what must be, prints a line for each, and counts. */
export class Checks {
  passed = 0;
  failed = 0;
  readonly #client: string;

  /** @param client - whose checks these are; it begins each line, as clients run side by side */
  constructor(client: string) {
    this.#client = client;
  }

  /** One comparison; both sides are shown when they differ. */
  equal(what: string, actual: unknown, expected: unknown): void {
    if (isDeepStrictEqual(actual, expected)) {
      this.passed += 1;
      console.log(`ok   ${this.#client}: ${what}`);
      return;
    }
    this.fail(
      what,
      `expected ${JSON.stringify(expected)}\n     actual   ${JSON.stringify(actual)}`,
    );
  }

  /** One thing that is or is not so. */
  ok(what: string, isSo: boolean): void {
    this.equal(what, isSo, true);
  }

  /** One failure, with what there is to say about it. */
  fail(what: string, detail: string): void {
    this.failed += 1;
    console.log(`FAIL ${this.#client}: ${what}\n     ${detail}`);
  }

  /** Says what is being done. */
  say(what: string): void {
    console.log(`==>  ${this.#client}: ${what}`);
  }
}
