import { expect, test } from "vitest";
import { RecoveryBudget } from "./recovery-budget.js";

const origin = "https://api.example";

test("refuses a second recovery within 10 minutes, and gives it after (G-I6)", () => {
  const budget = new RecoveryBudget();
  expect(budget.take(origin, 0)).toBe(true);
  expect(budget.take(origin, 599_999)).toBe(false);
  expect(budget.take(origin, 600_000)).toBe(true);
  expect(budget.take(origin, 600_001)).toBe(false);
});

test("gives the next one when a request was answered, for that origin alone", () => {
  const budget = new RecoveryBudget();
  const other = "https://other.example";
  expect(budget.take(origin, 0)).toBe(true);
  expect(budget.take(other, 0)).toBe(true);
  budget.restore(origin);
  expect(budget.take(other, 1)).toBe(false);
  expect(budget.take(origin, 1)).toBe(true);
});

test("remembers at most 1000 origins, the latest", () => {
  const budget = new RecoveryBudget();
  for (let i = 0; i <= 1000; i += 1) budget.take(`https://host-${i}.example`, 0);
  expect(budget.take("https://host-1000.example", 1)).toBe(false);
  expect(budget.take("https://host-0.example", 1)).toBe(true);
});
