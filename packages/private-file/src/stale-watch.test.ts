import { expect, test } from "vitest";
import type { ProcessLife } from "./process-mark.js";
import { StaleWatch } from "./stale-watch.js";

const HOLDER = { word: "a".repeat(32), beat: 1n };

function lookEvery(
  stepMs: number,
  untilMs: number,
  holderAt: (now: number) => typeof HOLDER,
  life: ProcessLife = "unknown",
) {
  const watch = new StaleWatch();
  for (let now = 0; now <= untilMs; now += stepMs) {
    if (watch.isStale(holderAt(now), now, life)) return now;
  }
  return undefined;
}

test("a holder without a sign of life for three seconds is stale", () => {
  expect(lookEvery(100, 10_000, () => HOLDER)).toBe(3000);
});

test("a holder whose process can be seen to run is given thirty", () => {
  expect(lookEvery(100, 60_000, () => HOLDER, "running")).toBe(30_000);
});

test("a holder whose process has ended is stale at once", () => {
  expect(lookEvery(100, 10_000, () => HOLDER, "over")).toBe(0);
});

test("a holder that gives signs of life is never stale, nor are holders that follow each other", () => {
  const beating = (now: number) => ({ ...HOLDER, beat: BigInt(Math.floor(now / 2500)) });
  expect(lookEvery(100, 20_000, beating)).toBeUndefined();
  const following = (now: number) => ({ ...HOLDER, word: `${Math.floor(now / 2500)}` });
  expect(lookEvery(100, 20_000, following)).toBeUndefined();
});

test("a long sleep between two looks is no proof of death", () => {
  const watch = new StaleWatch();
  watch.isStale(HOLDER, 0, "unknown");
  expect(watch.isStale(HOLDER, 3_600_000, "unknown")).toBe(false);
  expect(watch.isStale(HOLDER, 3_600_100, "unknown")).toBe(false);
});
