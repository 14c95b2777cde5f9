import { expect, test } from "vitest";
import { tellOfClock } from "./clock-difference.js";

test("a clock that differs by more than 30 s is told once, with its side, and once when it agrees again", () => {
  const lines: string[] = [];
  const keep = (line: string) => void lines.push(line);
  const tell = tellOfClock("https://authority.example", { note: keep, warn: keep });
  for (const aheadMs of [0, 30_000, -30_000]) tell(aheadMs);
  expect(lines).toEqual([]);
  for (const aheadMs of [30_001, 45_000]) tell(aheadMs);
  expect(lines).toEqual([expect.stringContaining("is 30 s ahead of this machine's")]);
  tell(0);
  expect(lines[1]).toContain("agrees with this machine's again");
  tell(-3_600_000);
  expect(lines[2]).toContain("is 3600 s behind this machine's");
  expect(lines).toHaveLength(3);
});
