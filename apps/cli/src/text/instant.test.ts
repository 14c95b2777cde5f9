import { expect, test } from "vitest";
import { CliError } from "./cli-error.js";
import { parseInstant } from "./instant.js";

const NOON = Date.UTC(2026, 3, 15, 12);

test.each([
  "",
  "yesterday",
  "30",
  "30 m",
  "-30m",
  "2026-04-15",
  "2026-04-15T12:00:00",
  "2026-13-01T00:00:00Z",
  "99999999999d",
])("rejects %j", (text) => {
  expect(() => parseInstant(text, "--since", NOON)).toThrow(CliError);
});

test.each([
  ["30m", "2026-04-15T11:30:00Z"],
  ["7d", "2026-04-08T12:00:00Z"],
  ["0s", "2026-04-15T12:00:00Z"],
  ["2026-04-15T14:00:00+02:00", "2026-04-15T12:00:00Z"],
  ["2026-04-15T12:00:00.999Z", "2026-04-15T12:00:00Z"],
])("takes %s as %s", (text, time) => {
  expect(parseInstant(text, "--since", NOON)).toBe(time);
});
