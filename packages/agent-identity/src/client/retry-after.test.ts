import { expect, test } from "vitest";
import { parseRetryAfter } from "./retry-after.js";

const NOW = Date.UTC(2026, 2, 23, 12);

test.each([
  [undefined],
  [""],
  ["-1"],
  ["1.5"],
  ["soon"],
  ["2026-03-23T12:00:05Z"],
  ["Mon, 99 Mar 2026 12:00:05 GMT"],
])("takes %j for nothing", (value) => {
  expect(parseRetryAfter(value, NOW)).toBeUndefined();
});

test.each([
  ["0", 0],
  ["120", 120],
  [" 7 ", 7],
  ["999999999", 86_400],
  ["Mon, 23 Mar 2026 12:00:05 GMT", 5],
  ["Mon, 23 Mar 2026 11:00:00 GMT", 0],
])("reads %j as %d seconds", (value, seconds) => {
  expect(parseRetryAfter(value, NOW)).toBe(seconds);
});
