import { expect, test } from "vitest";
import type { Goal } from "./row.ts";
import { verdict } from "./verdict.ts";

const cases: [Goal, number, "ok" | "short"][] = [
  [{ limit: "at least", value: 0.91 }, 0.9099, "short"],
  [{ limit: "at least", value: 0.91 }, 0.91, "ok"],
  [{ limit: "at least", value: 0.91 }, Number.NaN, "short"],
  [{ limit: "at most", value: 1.2 }, 1.2, "ok"],
  [{ limit: "at most", value: 1.2 }, 1.2001, "short"],
  [{ limit: "at most", value: 0 }, 0, "ok"],
  [{ limit: "at most", value: 0 }, Number.NaN, "short"],
];

test.each(cases)("%o with %d is %s", (goal, figure, expected) => {
  expect(verdict(goal, figure)).toBe(expected);
});
