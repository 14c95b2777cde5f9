import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import fc from "fast-check";
import { expect, test } from "vitest";
import { byEffort, effort, parseEffort, propertyRuns } from "./effort.js";

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
