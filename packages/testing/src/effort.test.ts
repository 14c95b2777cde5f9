import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { byEffort, effort, parseEffort, propertyRuns, sampleRows } from "./effort.js";

test.each(["fast", "QUICK", "full ", "0"])(
  "rejects the effort %j, and says which there are",
  (value) => {
    expect(() => parseEffort(value)).toThrow(
      new TypeError(`TEST_EFFORT must be quick or full, got ${JSON.stringify(value)}`),
    );
  },
);

test("a wrong TEST_EFFORT stops the tests of a package before the first one", async () => {
  const vitest = fileURLToPath(new URL("../node_modules/.bin/vitest", import.meta.url));
  const run = promisify(execFile)(vitest, ["list", "--project", "unit"], {
    cwd: fileURLToPath(new URL("..", import.meta.url)),
    env: { ...process.env, TEST_EFFORT: "fast" },
  });
  await expect(run).rejects.toMatchObject({
    stderr: expect.stringContaining(`TEST_EFFORT must be quick or full, got "fast"`),
  });
});

test("is quick unless it is said", () => {
  expect([
    parseEffort(undefined),
    parseEffort(""),
    parseEffort("quick"),
    parseEffort("full"),
  ]).toEqual(["quick", "quick", "quick", "full"]);
});

test("takes the amount of the effort", () => {
  expect([byEffort(100, 10, "full"), byEffort(100, 10, "quick")]).toEqual([100, 10]);
});

test("a property test makes all its runs in the full effort and a tenth in the quick one", () => {
  expect([propertyRuns(2000, "full"), propertyRuns(2000, "quick")]).toEqual([2000, 200]);
  expect([propertyRuns(5, "full"), propertyRuns(5, "quick")]).toEqual([5, 1]);
});

test("holds for a property that names no number of runs", () => {
  let runs = 0;
  fc.assert(
    fc.property(fc.boolean(), () => {
      runs += 1;
    }),
  );
  expect(runs).toBe(effort === "full" ? 100 : 10);
});

describe("a sample of rows", () => {
  const rows = Array.from({ length: 20 }, (_, index) => index);
  const sample = (seed: number, at: "quick" | "full", quick = 5) => {
    const lines: string[] = [];
    const taken = sampleRows("steps", rows, quick, { seed, at, print: (line) => lines.push(line) });
    return { taken, lines };
  };

  test("is every row in the full effort, and nothing is printed", () => {
    expect(sample(1, "full")).toEqual({ taken: rows, lines: [] });
  });

  test("is every row where there are no more than asked for", () => {
    expect(sample(1, "quick", 20)).toEqual({ taken: rows, lines: [] });
  });

  test("is in the quick effort as many as asked for, in their order, and the seed is printed", () => {
    const { taken, lines } = sample(7, "quick");
    expect(lines).toEqual(["quick effort: 5 of 20 steps: TEST_SEED=7"]);
    expect(new Set(taken).size).toBe(5);
    expect(taken).toEqual([...taken].sort((a, b) => a - b));
    expect(sample(7, "quick").taken).toEqual(taken);
  });

  test("has each row for some seed", () => {
    const seen = new Set(rows.flatMap((seed) => sample(seed, "quick").taken));
    expect(seen).toEqual(new Set(rows));
  });
});
