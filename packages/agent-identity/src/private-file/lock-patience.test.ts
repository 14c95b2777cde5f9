import { expect, test } from "vitest";
import { LockPatience } from "./lock-patience.js";

test("ends when one holder was waited for as long as allowed, also while the lock is free in between", () => {
  const patience = new LockPatience(1000, 0);
  const looks = [
    [undefined, 100],
    ["a", 999],
    ["a", 1000],
  ] as const;
  expect(looks.map(([holder, now]) => patience.isOver(holder, now))).toEqual([false, false, true]);
  expect(new LockPatience(0, 0).isOver("a", 0)).toBe(true);
});

test("begins again whenever the lock changes hands", () => {
  const patience = new LockPatience(1000, 0);
  for (let now = 0; now < 20_000; now += 900) expect(patience.isOver(`${now}`, now)).toBe(false);
  expect(patience.isOver("19800", 20_799)).toBe(false);
  expect(patience.isOver(undefined, 20_800)).toBe(true);
});
