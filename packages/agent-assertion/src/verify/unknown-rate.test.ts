import { expect, test } from "vitest";
import { UnknownRate } from "./unknown-rate.js";

const HOUR_MS = 3_600_000;

function setUp() {
  const clock = { now: HOUR_MS };
  const rate = new UnknownRate(2, () => clock.now);
  return { clock, rate };
}

test("what is used up comes back evenly, all of it within a minute", () => {
  const { clock, rate } = setUp();
  for (let count = 0; count < 2; count += 1) rate.count("a");
  expect([rate.admits("a"), rate.admits("b")]).toEqual([false, true]);
  clock.now += 29_999;
  expect(rate.admits("a")).toBe(false);
  clock.now += 1;
  expect(rate.admits("a")).toBe(true);
});

test("a clock that is set back gives nothing back, and keeps no source waiting until it is there again", () => {
  const { clock, rate } = setUp();
  for (let count = 0; count < 2; count += 1) rate.count("a");
  clock.now -= HOUR_MS;
  expect(rate.admits("a")).toBe(false);
  clock.now += 30_000;
  expect(rate.admits("a")).toBe(true);
});
