import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { agentKeyError } from "../test/agent-key-error.js";
import { NO_TEXTS } from "../test/no-texts.js";
import { formatTimestamp, isInstant, parseTimestamp } from "./timestamp.js";

describe("parseTimestamp", () => {
  test.each([
    ["nothing", ""],
    ["a word", "yesterday"],
    ["no zone", "2026-04-15T17:08:09"],
    ["a numeric zone", "2026-04-15T17:08:09+00:00"],
    ["a lower-case t and z", "2026-04-15t17:08:09z"],
    ["a space for T", "2026-04-15 17:08:09Z"],
    ["a fraction", "2026-04-15T17:08:09.000Z"],
    ["no seconds", "2026-04-15T17:08Z"],
    ["an expanded year", "+002026-04-15T17:08:09Z"],
    ["a year of five digits", "12026-04-15T17:08:09Z"],
    ["month 0", "2026-00-15T17:08:09Z"],
    ["month 13", "2026-13-15T17:08:09Z"],
    ["day 0", "2026-04-00T17:08:09Z"],
    ["31 April", "2026-04-31T17:08:09Z"],
    ["30 February", "2026-02-30T17:08:09Z"],
    ["29 February of a common year", "2026-02-29T17:08:09Z"],
    ["29 February of 1900", "1900-02-29T17:08:09Z"],
    ["hour 24", "2026-04-15T24:00:00Z"],
    ["minute 60", "2026-04-15T17:60:00Z"],
    ["second 60", "2016-12-31T23:59:60Z"],
    ["a line break at the end", "2026-04-15T17:08:09Z\n"],
    ["a space before", " 2026-04-15T17:08:09Z"],
    ["digits that are not ASCII", "٢٠٢٦-04-15T17:08:09Z"],
  ])("rejects %s", (_name, text) => {
    expect(() => parseTimestamp(text)).toThrow(agentKeyError("invalid_request"));
  });

  test.each(NO_TEXTS)("rejects %s", (_name, value) => {
    const text = value as string;
    expect(() => parseTimestamp(text)).toThrow(agentKeyError("invalid_request"));
  });

  test.each([
    ["1970-01-01T00:00:00Z", 0],
    ["2026-04-15T17:08:09Z", 1_776_272_889_000],
    ["2024-02-29T23:59:59Z", 1_709_251_199_000],
    ["2000-02-29T00:00:00Z", 951_782_400_000],
    ["1969-12-31T23:59:59Z", -1000],
    ["9999-12-31T23:59:59Z", 253_402_300_799_000],
    ["0000-01-01T00:00:00Z", -62_167_219_200_000],
  ])("takes %s", (text, epochMs) => {
    expect(parseTimestamp(text)).toBe(epochMs);
    expect(formatTimestamp(epochMs)).toBe(text);
  });
});

describe("formatTimestamp", () => {
  test.each([
    Number.NaN,
    Number.POSITIVE_INFINITY,
    Number.NEGATIVE_INFINITY,
    253_402_300_800_000,
    -62_167_219_200_001,
    8.65e15,
    -8.65e15,
  ])("rejects %d", (epochMs) => {
    expect(() => formatTimestamp(epochMs)).toThrow(RangeError);
  });

  test("rounds down to whole seconds, before 1970 too", () => {
    expect(formatTimestamp(1999)).toBe("1970-01-01T00:00:01Z");
    expect(formatTimestamp(-1)).toBe("1969-12-31T23:59:59Z");
    expect(formatTimestamp(253_402_300_799_999)).toBe("9999-12-31T23:59:59Z");
  });
});

test("every second of the years 0 to 9999 comes back as it was", () => {
  fc.assert(
    fc.property(fc.integer({ min: -62_167_219_200, max: 253_402_300_799 }), (seconds) => {
      expect(parseTimestamp(formatTimestamp(seconds * 1000))).toBe(seconds * 1000);
    }),
  );
});

test("a text is a timestamp only if formatting gives it back", () => {
  const digits = (count: number) =>
    fc.string({ unit: fc.constantFrom(..."0123456789"), minLength: count, maxLength: count });
  const nearly = fc
    .tuple(digits(4), digits(2), digits(2), digits(2), digits(2), digits(2))
    .map(([year, month, day, ...time]) => `${year}-${month}-${day}T${time.join(":")}Z`);
  fc.assert(
    fc.property(nearly, (text) => {
      try {
        expect(formatTimestamp(parseTimestamp(text))).toBe(text);
      } catch (error) {
        expect(error).toEqual(agentKeyError("invalid_request"));
      }
    }),
  );
});

describe("isInstant", () => {
  test.each([
    "",
    "2026-04-15",
    "2026-04-15T17:08Z",
    "2026-04-15T17:08:09",
    "2026-04-15 17:08:09Z",
    "2026-04-15T17:08:09+0200",
    "2026-04-15T17:08:09+24:00",
    "2026-04-15T24:00:00Z",
    "2026-04-15T17:08:60Z",
    "2026-04-31T17:08:09Z",
    "2026-13-01T17:08:09Z",
    "1900-02-29T17:08:09Z",
    "2026-04-15T17:08:09.Z",
    "2026-04-15T17:08:09Z\n",
    "yesterday",
  ])("refuses %j", (text) => {
    expect(isInstant(text)).toBe(false);
  });

  test.each([
    "2026-04-15T17:08:09Z",
    "2000-02-29T00:00:00.123456789012Z",
    "0000-01-01T00:00:00Z",
    "9999-12-31T23:59:59-23:59",
    "2026-04-15T17:08:09.5+02:00",
  ])("takes %s, which Date.parse reads", (text) => {
    expect(isInstant(text)).toBe(true);
    expect(Date.parse(text)).not.toBeNaN();
  });
});
