import { describe, expect, test } from "vitest";
import { median, quartiles } from "./statistics.ts";

describe("quartiles", () => {
  test.each([[[]], [[1, Number.NaN]], [[Number.POSITIVE_INFINITY]]])("refuses %o", (figures) => {
    expect(() => quartiles(figures)).toThrow(RangeError);
  });

  test("are the figure itself if there is one", () => {
    expect(quartiles([3])).toEqual({ low: 3, median: 3, high: 3 });
  });

  test("do not depend on the order and leave the list as it is", () => {
    const figures = [5, 1, 4, 2, 3];
    expect(quartiles(figures)).toEqual({ low: 2, median: 3, high: 4 });
    expect(figures).toEqual([5, 1, 4, 2, 3]);
  });

  test("are compared as numbers, not as texts", () => {
    expect(quartiles([10, 9, 100])).toEqual({ low: 9.5, median: 10, high: 55 });
  });

  test("lie between two neighbours if no figure stands there", () => {
    expect(median([1, 2, 3, 10])).toBe(2.5);
  });
});
