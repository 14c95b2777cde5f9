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

test("pauses twice as long from look to look, up to 100 ms, and 20 ms at most for each that is served before", () => {
  const pausesOf = (ahead: readonly number[]) => {
    const patience = new LockPatience(1000, 0);
    return ahead.map((count) => patience.nextPause(count));
  };
  expect(pausesOf([9, 9, 9, 9, 9, 9, 9])).toEqual([5, 10, 20, 40, 80, 100, 100]);
  expect(pausesOf([9, 9, 9, 9, 9, 2, 1, 0, 0])).toEqual([5, 10, 20, 40, 80, 40, 20, 20, 20]);
});
