import { expect, onTestFinished, test, vi } from "vitest";
import { EndWarnings, watchCredentialEnds } from "./credential-ends.js";

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const END = Date.parse("2026-06-30T12:00:00Z");

test("a credential is warned of 7 days, 1 day and 1 hour before its end and at its end, once each", () => {
  const warnings = new EndWarnings();
  const at = (msBefore: number) => warnings.due({ directory_token: END }, END - msBefore);
  expect(at(8 * DAY_MS)).toEqual([]);
  expect(at(7 * DAY_MS)).toEqual([
    expect.stringMatching(/^the token of --authority-token ends in 7 days, at 2026-06-30T12:00:00/),
  ]);
  expect(at(6 * DAY_MS)).toEqual([]);
  expect(at(DAY_MS)).toEqual([expect.stringContaining("ends in 24 hours")]);
  expect(at(2 * HOUR_MS)).toEqual([]);
  expect(at(HOUR_MS)).toEqual([expect.stringContaining("ends in 60 minutes")]);
  expect(at(1)).toEqual([]);
  expect(at(0)).toEqual([expect.stringContaining("has ended at")]);
  expect(at(-DAY_MS)).toEqual([]);
});

test("one that is old when the process starts is warned of once", () => {
  const warnings = new EndWarnings();
  expect(warnings.due({ upstream: END }, END - 30 * 60_000)).toEqual([
    expect.stringMatching(/^a token of --upstream-header ends in 30 minutes/),
  ]);
  expect(warnings.due({ upstream: END }, END - 29 * 60_000)).toEqual([]);
});

test("one that is renewed each hour is warned of only if that stops", () => {
  const warnings = new EndWarnings();
  warnings.due({ upstream: END }, END - 50 * 60_000);
  const later = END + HOUR_MS;
  expect(warnings.due({ upstream: later }, later - 59 * 60_000)).toEqual([]);
  expect(warnings.due({ upstream: later }, later - 60_000)).toEqual([]);
  expect(warnings.due({ upstream: later }, later)).toEqual([expect.stringContaining("has ended")]);
});

test("one whose replacement lives long is warned of again", () => {
  const warnings = new EndWarnings();
  warnings.due({ login: END }, END - HOUR_MS);
  const later = END + 90 * DAY_MS;
  expect(warnings.due({ login: later }, END)).toEqual([]);
  expect(warnings.due({ login: later }, later - DAY_MS)).toHaveLength(1);
});

test("one whose end is made earlier, as a rotation does, is warned of at once and until then", () => {
  const warnings = new EndWarnings();
  const rotatedAt = END - 90 * DAY_MS;
  expect(warnings.due({ directory_token: END }, rotatedAt)).toEqual([]);
  const early = rotatedAt + DAY_MS;
  const at = (msBefore: number) => warnings.due({ directory_token: early }, early - msBefore);
  expect(at(DAY_MS - 60_000)).toEqual([expect.stringContaining("ends in 23 hours")]);
  expect(at(2 * HOUR_MS)).toEqual([]);
  expect(at(HOUR_MS)).toHaveLength(1);
  expect(at(0)).toHaveLength(1);
  const later = early + 90 * DAY_MS;
  expect(warnings.due({ directory_token: later }, early)).toEqual([]);
});

test("one whose end is not known is not warned of", () => {
  expect(new EndWarnings().due({ directory_token: undefined }, END)).toEqual([]);
});

test("ends are looked at each minute, and one that cannot be read is no end", async () => {
  vi.useFakeTimers({ now: END - HOUR_MS - 30_000 });
  onTestFinished(() => void vi.useRealTimers());
  const lines: string[] = [];
  let isBroken = true;
  using _ = watchCredentialEnds({ warn: (line) => void lines.push(line) }, undefined, async () => {
    if (isBroken) throw new Error("not readable");
    return { login: END };
  });
  await vi.advanceTimersByTimeAsync(0);
  expect(lines).toEqual([]);
  isBroken = false;
  await vi.advanceTimersByTimeAsync(60_000);
  expect(lines).toEqual([expect.stringMatching(/^the login ends in 59 minutes/)]);
  await vi.advanceTimersByTimeAsync(10 * 60_000);
  expect(lines).toHaveLength(1);
});
