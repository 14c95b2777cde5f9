import { expect, test } from "vitest";
import { tellOfClock } from "./clock-difference.js";

function start() {
  const lines: string[] = [];
  const keep = (line: string) => void lines.push(line);
  const clock = { nowMs: 0 };
  const output = { note: keep, warn: keep };
  return {
    lines,
    clock,
    tell: tellOfClock("https://authority.example", output, () => clock.nowMs),
  };
}

test("a clock that differs by more than 30 s is told once, with its side, and once when it agrees again", () => {
  const { lines, clock, tell } = start();
  for (const aheadMs of [0, 30_000, -30_000]) tell(aheadMs);
  expect(lines).toEqual([]);
  for (const aheadMs of [30_001, 45_000]) tell(aheadMs);
  expect(lines).toEqual([expect.stringContaining("is 30 s ahead of this machine's")]);
  clock.nowMs += 60_000;
  tell(0);
  expect(lines[1]).toContain("agrees with this machine's again");
  tell(-3_600_000);
  expect(lines[2]).toContain("is 3600 s behind this machine's");
  expect(lines).toHaveLength(3);
});

test("two authorities behind one URL, of which one clock differs, are told of once", () => {
  const { lines, clock, tell } = start();
  for (let answer = 0; answer < 100; answer += 1) {
    tell(answer % 2 === 0 ? 45_000 : 0);
    clock.nowMs += 15_000;
  }
  expect(lines).toEqual([expect.stringContaining("is 45 s ahead of this machine's")]);
  // The last answer that differed is 30 s old.
  clock.nowMs += 29_999;
  tell(0);
  expect(lines).toHaveLength(1);
  clock.nowMs += 1;
  tell(0);
  expect(lines[1]).toContain("agrees with this machine's again");
});
