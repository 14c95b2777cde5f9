import { describe, expect, test } from "vitest";
import { slope } from "./watch-memory.ts";

describe("the slope", () => {
  test("of a line is its rise", () => {
    expect(slope([1, 3, 5, 7])).toBe(2);
  });

  test("of a level saw is near nothing", () => {
    expect(Math.abs(slope(Array.from({ length: 20 }, (_, at) => 100 + (at % 2))))).toBeLessThan(
      0.01,
    );
  });
});
