import { propertyRuns } from "@countersign/testing/effort";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parseJsonObject } from "./parse-json-object.js";

describe("parseJsonObject", () => {
  test.each([
    "",
    " ",
    "null",
    "1",
    '"a"',
    "[]",
    '[{"a":1}]',
    "{}{}",
    '{"a":1}x',
    "{'a':1}",
    '{"a":1,}',
    "{a:1}",
    '{"a":1',
    "\ufeff{}",
    "\u00a0{}",
    '{"a":"\n"}',
    '{"a":"\\x"}',
    '{"a":01}',
  ])("refuses what is not one JSON object: %j", (text) => {
    expect(parseJsonObject(text)).toBeUndefined();
  });

  test.each([
    '{"a":1,"a":1}',
    '{"a":1,"b":{},"a":1}',
    '{"a":1,"\\u0061":1}',
    '{"\\u0061":1,"a" : 1}',
    '{"a"\n:1,"a"\t:1}',
    '{"":1,"":2}',
    '{"__proto__":1,"__proto__":2}',
    '{"x":{"a":1,"a":2}}',
    '{"x":[{"a":1},{"b":1,"b":2}]}',
    '{"\\"":1,"\\u0022":2}',
    '{"\\\\":1,"\\u005c":2}',
  ])("refuses a name given twice, compared after unescaping: %j", (text) => {
    expect(parseJsonObject(text)).toBeUndefined();
  });

  test.each([
    "{}",
    ' {"a":1}\n',
    '{"a":{"a":{"a":[]}},"b":{"a":1}}',
    '{"a":"a","b":"a\\":1,\\"a"}',
    '{"a":"{","b":"}","c":["a","b",":"]}',
    '{"a":[{"a":1},{"a":2}]}',
    '{"\\\\":"\\\\"}',
    '{"a":"\\\\","b":"\\\\\\""}',
  ])("reads an object with unique names: %j", (text) => {
    expect(parseJsonObject(text)).toEqual(JSON.parse(text));
  });

  test("takes a member __proto__ for what it is", () => {
    const value = parseJsonObject('{"__proto__":{"a":1}}');
    expect(value !== undefined && Object.hasOwn(value, "__proto__")).toBe(true);
    expect(value?.a).toBeUndefined();
  });

  test("stands any depth that fits the field", () => {
    const depth = 100_000;
    expect(parseJsonObject(`{"a":${"[".repeat(depth)}${"]".repeat(depth)}}`)).toBeDefined();
    const nested = `${'{"a":'.repeat(depth)}1${"}".repeat(depth)}`;
    expect(parseJsonObject(nested)).toBeDefined();
    expect(parseJsonObject(`{"x":${nested},"x":1}`)).toBeUndefined();
  });

  test("agrees with JSON.parse on every value it makes itself", () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string({ unit: "binary" }), fc.jsonValue()), (value) => {
        const text = JSON.stringify(value);
        expect(parseJsonObject(text)).toEqual(JSON.parse(text));
      }),
    );
  });

  test("refuses every object in which one member is repeated, however its name is escaped (G-K9)", () => {
    const escapedUnit = (char: string) => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`;
    fc.assert(
      fc.property(
        fc.dictionary(fc.string({ unit: "binary" }), fc.jsonValue(), { minKeys: 1 }),
        fc.nat(),
        fc.boolean(),
        (value, pick, atEnd) => {
          const names = Object.keys(value);
          const name = names[pick % names.length] ?? "";
          const repeated = `"${name.split("").map(escapedUnit).join("")}":0`;
          const inner = JSON.stringify(value).slice(1, -1);
          const text = atEnd ? `{${inner},${repeated}}` : `{${repeated},${inner}}`;
          expect(parseJsonObject(text)).toBeUndefined();
        },
      ),
    );
  });

  test("returns or refuses, and never throws, on any text", () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string({ unit: "binary" }),
          fc.string({
            unit: fc.constantFrom("{", "}", "[", "]", '"', "\\", ":", ",", "a", " ", "u0061", "1"),
          }),
        ),
        (text) => {
          const value = parseJsonObject(text);
          expect(value === undefined || typeof value === "object").toBe(true);
        },
      ),
      { numRuns: propertyRuns(1000) },
    );
  });
});
