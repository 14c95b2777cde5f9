import { expect, test } from "vitest";
import { StaleWatch } from "./stale-watch.js";

const HOLDER = { word: "a".repeat(32), beat: 1n };

function lookEvery(
  stepMs: number,
  untilMs: number,
  holderAt: (now: number) => typeof HOLDER,
  isRunning?: boolean,
) {
  const watch = new StaleWatch();
  for (let now = 0; now <= untilMs; now += stepMs) {
    if (watch.isStale(holderAt(now), now, isRunning)) return now;
  }
  return undefined;
}

test("a holder without a sign of life for three seconds is stale", () => {
  expect(lookEvery(100, 10_000, () => HOLDER)).toBe(3000);
});

test("a holder whose process can be seen to run is given thirty", () => {
  expect(lookEvery(100, 60_000, () => HOLDER, true)).toBe(30_000);
});

test("a holder that gives signs of life is never stale, nor are holders that follow each other", () => {
  const beating = (now: number) => ({ ...HOLDER, beat: BigInt(Math.floor(now / 2500)) });
  expect(lookEvery(100, 20_000, beating)).toBeUndefined();
  const following = (now: number) => ({ ...HOLDER, word: `${Math.floor(now / 2500)}` });
  expect(lookEvery(100, 20_000, following)).toBeUndefined();
  expect(new StaleWatch().isStale(undefined, 10_000)).toBe(false);
});

test("a long sleep between two looks is no proof of death", () => {
  const watch = new StaleWatch();
  watch.isStale(HOLDER, 0);
  expect(watch.isStale(HOLDER, 3_600_000)).toBe(false);
  expect(watch.isStale(HOLDER, 3_600_100)).toBe(false);
});
